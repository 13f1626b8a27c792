"""A stand-in for the part of a cluster's API that lists ReplicaSets, by label, as kubectl asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESOURCE = {"name": "replicasets", "kind": "ReplicaSet", "namespaced": True, "verbs": ["get", "list"]}
GROUP = {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]}
DISCOVERY: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": [GROUP]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis/apps/v1": {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [RESOURCE]},
}


@contextmanager
def serving(sets: dict[str, list[tuple[str, str]]]) -> Iterator[str]:
    """Serve ReplicaSets.

    :param sets: the hash and the revision of each, by the value of the label `app.kubernetes.io/instance`.
    :returns: the address.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            found = DISCOVERY.get(path) or listed(query.get("labelSelector", [""])[0])
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    def listed(selector: str) -> dict[str, Any]:
        instance = dict(pair.split("=") for pair in selector.split(","))["app.kubernetes.io/instance"]
        items = [replica_set(instance, *one) for one in sets.get(instance, [])]
        return {"kind": "ReplicaSetList", "apiVersion": "apps/v1", "metadata": {}, "items": items}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def replica_set(instance: str, digest: str, revision: str) -> dict[str, Any]:
    """Describe a ReplicaSet as the API does."""
    labels = {"app.kubernetes.io/instance": instance, "pod-template-hash": digest}
    annotations = {"deployment.kubernetes.io/revision": revision}
    named = {"name": f"{instance}-{digest}", "namespace": "models", "labels": labels, "annotations": annotations}
    return {"kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": named}

"""A stand-in for Cloudflare's API as wrangler asks it: versions and deployments of Workers, and their domains.

It answers in the form of https://developers.cloudflare.com/api/resources/workers/, as far as wrangler 4.80.0 reads it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "0123456789abcdef0123456789abcdef"
VERSION = "00000000-0000-4000-8000-{:012}"
WORKER = rf"/client/v4/accounts/{ACCOUNT}/workers/(?:scripts|services)/([\w-]+)"


class Cloudflare:
    """What is deployed.

    `deployments`: of a Worker, the newest first; `domains` and `uploads`: of a Worker; `asked`: all requests.
    """

    def __init__(self) -> None:
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.domains: dict[str, list[str]] = {}
        self.uploads: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: bytes) -> Any:
        """The result of a request, None where there is no such thing."""
        self.asked.append(f"{method} {path}")
        path = path.partition("?")[0]
        found = re.match(WORKER, path)
        if not found:
            user = {"/user": {"email": "ada@example.com"}, "/user/tokens/verify": {"id": "t", "status": "active"}}
            own = {"name": "Ada's", "id": ACCOUNT}
            known = {**user, "/accounts": [own], "/memberships": [{"account": own}], "/zones": [{"id": "z"}]}
            return known.get(path.removeprefix("/client/v4"), [])
        return self._worker(method, found[1], path[found.end() :], body)

    def _worker(self, method: str, name: str, rest: str, body: bytes) -> Any:
        known = self.deployments.get(name, [])
        if (method, rest) == ("DELETE", ""):
            self.domains.pop(name, None)
            return self.deployments.pop(name, None) and {}
        if rest in ("/versions", "") and method in ("POST", "PUT"):
            found = re.search(rb'name="metadata".*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            assert found
            self.uploads.setdefault(name, []).append(json.loads(found[1]))
            version = VERSION.format(len(self.uploads[name]))
            if method == "PUT":  # a first upload is live at once
                self._live(name, [{"version_id": version, "percentage": 100}], self.uploads[name][-1].get("annotations", {}))
            return {
                "id": version,
                "deployment_id": version,
                "tag": "a",
                "startup_time_ms": 5,
                "resources": {"script": {"etag": "e"}},
            }
        if rest == "/deployments" and method == "POST":
            document = json.loads(body)
            return self._live(name, document["versions"], document.get("annotations", {}))
        if rest == "/domains/records":
            self.domains[name] = [one["hostname"] for one in json.loads(body)["origins"]]
            return []
        if not known:
            return None
        made = {"created_on": "2026-12-01T00:00:00Z", "author_email": "ada@example.com", "source": "wrangler"}
        script = {"tag": "a", "last_deployed_from": "wrangler", "handlers": ["fetch"]}
        return {
            "": {"default_environment": {"environment": "production", "script": script}},
            "/deployments": {"deployments": known},
            "/subdomain": {"enabled": False, "previews_enabled": False},
        }.get(rest) or {
            "id": rest.rpartition("/")[2],
            "number": 1,
            "metadata": made,
            "annotations": {},
            "resources": {"bindings": []},
        }

    def _live(self, name: str, versions: list[dict[str, Any]], annotations: dict[str, str]) -> Any:
        listed = self.deployments.setdefault(name, [])
        when = f"2026-12-01T00:00:{len(listed):02}Z"
        listed.insert(0, {"id": "d", "source": "wrangler", "created_on": when, "annotations": annotations, "versions": versions})
        return {"id": "d"}


@contextmanager
def cloudflare() -> Iterator[tuple[Cloudflare, str]]:
    """Serve the API; the URL is what wrangler's CLOUDFLARE_API_BASE_URL is to be."""
    state = Cloudflare()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            result = state.answer(self.command, self.path, body)
            errors = [] if result is not None else [{"code": 10007, "message": "This Worker does not exist on your account."}]
            text = json.dumps({"success": not errors, "errors": errors, "messages": [], "result": result}).encode()
            self.send_response(404 if errors else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # names of http.server

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}/client/v4"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

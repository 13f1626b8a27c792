"""As much of Google's APIs as a deployment by gcloud asks: requests come in, what was uploaded and asked for is kept.

gcloud reaches it as its proxy, so that no name is looked up and nothing leaves this machine. Nothing is built or run here.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.services.web import Handler, HttpServer

Reply = dict[str, Any] | None

PROJECT, NUMBER, REGION = "a-project", "1234", "europe-west1"
DOMAIN = "google.test"
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b\x08")  # a zip, a compressed tar
IMAGE_DIGEST = f"sha256:{'0' * 64}"
OVERRIDDEN = (
    *("ARTIFACTREGISTRY", "CLOUDBUILD", "CLOUDFUNCTIONS", "CLOUDRESOURCEMANAGER", "EVENTARC"),
    *("IAM", "LOGGING", "MONITORING", "PUBSUB", "RUN", "SERVICEUSAGE", "STORAGE"),
)


class GoogleApi(HttpServer):
    """What gcloud asked, in order, and the resources that it made by it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []  # method, path, document
        self.zips: list[bytes] = []
        self.made: dict[str, dict[str, Any]] = {}  # by path
        super().__init__(_Requests)

    def variables(self, place: Path) -> dict[str, str]:
        """What leads gcloud here, with an empty configuration of its own in `place`."""
        token = place / "token"
        token.write_text("of-nobody")
        here = {"TYPE": "http", "ADDRESS": "127.0.0.1", "PORT": str(self.server_port)}
        return {
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
            "CLOUDSDK_CONFIG": str(place / "gcloud"),
            "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            **{f"CLOUDSDK_PROXY_{name}": value for name, value in here.items()},
            **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"http://{DOMAIN}/" for name in OVERRIDDEN},
        }

    def unpack(self, folder: Path) -> Path:
        """The source that came last, as Google's build would find it."""
        data = self.zips[-1]
        if data.startswith(ARCHIVES[0]):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                archive.extractall(folder)
        else:  # `gcloud builds submit` sends a compressed tar
            with tarfile.open(fileobj=io.BytesIO(data)) as archived:
                archived.extractall(folder, filter="data")
        return folder

    def sent(self, method: str, pattern: str) -> list[Any]:
        """The documents of all requests with such a method and path."""
        return [document for verb, path, document in self.asked if verb == method and re.search(pattern, path)]

    def answer(self, method: str, path: str, query: dict[str, list[str]], document: Any) -> Reply:
        """The document that a request is answered with; None for 404."""
        self.asked.append((method, path, document))
        for pattern, reply in ROUTES:
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                return reply(self, found, query, document)
        return self.made.get(path)


def _always(document: dict[str, Any]) -> Callable[..., Reply]:
    return lambda api, found, query, sent: document


def _function(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    name = query["functionId"][0]
    api.made[f"/v2/{found[1]}/functions/{name}"] = document | {"state": "ACTIVE", "environment": "GEN_2"}
    document["serviceConfig"] |= {"service": f"{found[1]}/services/{name}", "uri": "https://function.test"}
    return _done(f"{found[1]}/operations/made")


def _done(name: str) -> dict[str, Any]:
    return {"name": name, "done": True, "metadata": {"stages": []}, "response": {}}


def _service(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """A service that is ready at once, at the revision that was asked for; each build makes a new one."""
    name = document["metadata"]["name"]
    place = f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}"
    builds = max(1, len(api.sent("POST", "/builds:submit$")))
    ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ConfigurationsReady", "RoutesReady")]
    revision = document["spec"]["template"]["metadata"].get("name") or f"{name}-{builds:05d}"
    made = {"name": revision, "creationTimestamp": f"2026-11-30T12:{builds:02d}:00.123456Z", "labels": {}}
    named = {"apiVersion": "serving.knative.dev/v1", "kind": "Revision"}
    api.made[f"{place}/revisions/{revision}"] = {**named, "metadata": made, "spec": document["spec"]["template"]["spec"]}
    wanted = [one.get("revisionName", revision) for one in document["spec"].get("traffic", [])] or [revision]
    status = {
        "observedGeneration": 1,
        "conditions": ready,
        "latestReadyRevisionName": revision,
        "latestCreatedRevisionName": revision,
        "url": "https://service.test",
        "address": {"url": "https://service.test"},
        "traffic": [{"revisionName": one, "percent": 100, "latestRevision": one == revision} for one in wanted],
    }
    answer: dict[str, Any] = {**document, "status": status}
    answer["spec"].setdefault("traffic", [{"latestRevision": True, "percent": 100}])
    answer["metadata"] = {**document["metadata"], "generation": 1, "resourceVersion": "1", "selfLink": "x"}
    api.made[f"{place}/services/{name}"] = answer
    return answer


def _build(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    build = {
        "id": "built",
        "name": f"{found[1]}/builds/built",
        "projectId": PROJECT,
        "status": "SUCCESS",
        "logUrl": "https://log.test",
        "results": {"images": [{"name": document["imageUri"], "digest": IMAGE_DIGEST}]},
    }
    kind = "type.googleapis.com/google.devtools.cloudbuild.v1"
    done = {
        "name": f"{found[1]}/operations/built",
        "done": True,
        "metadata": {"@type": f"{kind}.BuildOperationMetadata", "build": build},
        "response": {"@type": f"{kind}.Build", **build},
    }
    api.made[f"/v1/{found[1]}/operations/built"] = done
    return {"buildOperation": done, "baseImageUri": document.get("buildpackBuild", {}).get("baseImage", "")}


def _image(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """The build of `gcloud builds submit`, for which nobody waits."""
    build = {**document, "id": "built", "name": f"{found[1]}/builds/built", "projectId": PROJECT, "status": "QUEUED"}
    kind = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
    return {"name": f"{found[1]}/operations/image", "metadata": {"@type": kind, "build": {**build, "logUrl": "https://log.test"}}}


def _account(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    email = f"{document['accountId']}@{PROJECT}.iam.gserviceaccount.com"
    made = {"name": f"{found[1]}/serviceAccounts/{email}", "email": email, **document["serviceAccount"]}
    api.made[f"/v1/{made['name']}"] = made
    return made


def _accounts(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    return {"accounts": [made for path, made in api.made.items() if "/serviceAccounts/" in path]}


def _gone(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """What was made, and is no more; 404 where it never was."""
    made = api.made.pop(found[1].replace("/projects/-/", f"/projects/{PROJECT}/"), None)
    if made is None or "/triggers/" not in found[1]:
        return None if made is None else {}
    operation = _done(f"{found[1].removeprefix('/v1/').rpartition('/triggers/')[0]}/operations/gone")
    api.made[f"/v1/{operation['name']}"] = operation
    return operation


def _trigger(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    """A trigger that is there at once, with a topic of its own where none was named."""
    place = f"{found[1]}/triggers/{query['triggerId'][0]}"
    topic = {"pubsub": {"topic": f"projects/{PROJECT}/topics/eventarc"}}
    api.made[f"/v1/{place}"] = {"transport": topic, **document, "name": place}
    operation = {**_done(f"{found[1]}/operations/trigger"), "response": api.made[f"/v1/{place}"]}
    api.made[f"/v1/{operation['name']}"] = operation
    return operation


def _bucket(api: GoogleApi, found: re.Match[str], query: dict[str, list[str]], document: Any) -> Reply:
    return {"name": found[1], "id": found[1], "location": REGION}


BUCKETS = r"/storage/v1/b"
ROUTES: list[tuple[str, Callable[..., Reply]]] = [
    (r"GET /v1/(projects/[^/]+/services/[^/]+googleapis.com)", lambda api, found, *_: {"name": found[1], "state": "ENABLED"}),
    (rf"GET /v1/projects/{PROJECT}", _always({"projectId": PROJECT, "projectNumber": NUMBER})),
    (
        r"GET /v1/(projects/.*)/defaultServiceAccount",
        lambda api, found, *_: {
            "name": found[1],
            "serviceAccountEmail": f"projects/{PROJECT}/serviceAccounts/{NUMBER}-compute@developer.gserviceaccount.com",
        },
    ),
    (r"GET /v1/projects/[^/]+/serviceAccounts/(\d+-compute@.*)", lambda api, found, *_: {"email": found[1], "name": found[1]}),
    (r"(?:GET|POST) /.*:getIamPolicy", _always({"etag": "BwX=", "version": 3, "bindings": []})),
    (rf"GET {BUCKETS}/[^/]+/iam", _always({"etag": "BwX=", "version": 3, "bindings": []})),
    (rf"PUT {BUCKETS}/[^/]+/iam", lambda api, found, query, document: document),
    (r"POST /.*:setIamPolicy", lambda api, found, query, document: document["policy"]),
    (r"GET /v1/(.*/repositories/[^/]+)", lambda api, found, *_: {"name": found[1], "format": "DOCKER"}),
    (r"GET /v1/projects/[^/]+/topics/(.*)", lambda api, found, *_: {"name": found[0].removeprefix("GET /v1/")}),
    (r"GET /v[12]/(.*/operations/made)", lambda api, found, *_: _done(found[1])),
    # the source of `gcloud functions deploy`, and its function
    (r"GET /v2/.*/runtimes", _always({"runtimes": [{"name": "python313", "environment": "GEN_2", "stage": "GA"}]})),
    (
        r"POST /v2/.*:generateUploadUrl",
        _always({"uploadUrl": f"http://{DOMAIN}/put", "storageSource": {"bucket": "sources", "object": "source.zip"}}),
    ),
    (r"PUT /put", _always({})),
    (r"POST /v2/(.*)/functions", _function),
    # the source of `gcloud run deploy`, its build and its service
    (rf"GET {BUCKETS}", lambda api, found, query, document: {"items": [{"name": n, "id": n} for n in query["prefix"]]}),
    (rf"GET {BUCKETS}/([^/]+)", _bucket),
    (
        rf"POST /upload{BUCKETS}/([^/]+)/o",
        lambda api, found, query, document: {
            "bucket": found[1],
            "name": query["name"][0],
            "generation": "1",
            "size": str(len(api.zips[-1])),
        },
    ),
    (r"POST /v2/(.*)/builds:submit", _build),
    (r"POST /v1/(projects/[^/]+/locations/[^/]+)/builds", _image),
    (r"(?:POST|PUT) /apis/serving.knative.dev/v1/namespaces/[^/]+/services(?:/[^/]+)?", _service),
    (
        r"GET (/apis/serving.knative.dev/v1/namespaces/[^/]+/revisions)",
        lambda api, found, *_: {
            "metadata": {},
            "items": [one for path, one in api.made.items() if path.startswith(f"{found[1]}/")],
        },
    ),
    # what stands around it
    (r"POST /v1/(projects/[^/]+)/serviceAccounts", _account),
    (r"GET /v1/projects/[^/]+/serviceAccounts", _accounts),
    (r"DELETE (/.*)", _gone),
    (r"POST /v1/(.*)/triggers", _trigger),
    (r"POST /v2/(projects/[^/]+/metrics)", lambda api, found, query, document: document),
    (r"GET /v3/projects/[^/]+/alertPolicies", _always({})),
    (r"POST /v3/(projects/[^/]+)/alertPolicies", lambda api, found, query, sent: {**sent, "name": f"{found[1]}/alertPolicies/1"}),
]


class _Requests(Handler):
    def _answer(self) -> None:
        api = self.server
        assert isinstance(api, GoogleApi)
        address = urlsplit(self.path)
        body = self._body()
        document = api.answer(self.command, address.path, parse_qs(address.query), self._document(api, body))
        missing = {"error": {"code": 404, "message": f"{address.path} is not there", "status": "NOT_FOUND"}}
        data = json.dumps(missing if document is None else document).encode()
        self.reply(404 if document is None else 200, data, {"content-type": "application/json"})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _document(self, api: GoogleApi, body: bytes) -> Any:
        """The JSON of a body; an archive is kept."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            start = min(found for magic in ARCHIVES if (found := body.find(magic)) >= 0)
            boundary = kind.partition("boundary=")[2].strip("'\"")
            api.zips.append(body[start : body.rindex(f"\n--{boundary}".encode())])
            return None
        if body.startswith(ARCHIVES):
            api.zips.append(body)
            return None
        return json.loads(body) if body else None

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "") != "chunked":
            return self.read_body()
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)


@contextlib.contextmanager
def google_api() -> Iterator[GoogleApi]:
    """Run a server while the block runs."""
    with GoogleApi() as api:
        yield api

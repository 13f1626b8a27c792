"""What is object stores' own: forks, plain http, conditions on the wire, web servers, and settings that are missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flyweight import addresses, registry
from flyweight.errors import Absent, Changed, StoreFailed
from flyweight.stores import open_store
from tests.services.fixtures import PATIENT, Bucket

FORKED = """
import os, sys
from flyweight.errors import StoreFailed
from flyweight.stores import Patience, open_store

early = open_store(sys.argv[1], Patience(5, 60))  # opened before the fork, not used before it
if sys.argv[2] == "used":
    early.put("a", b"1", None)
child = os.fork()
if child == 0:
    try:
        early.put("b", b"1", None)
        os._exit(10)
    except StoreFailed as error:
        os._exit(20 if "forked" in str(error) else 30)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(("used", "code"), [("used", "20"), ("unused", "10")])
def test_a_child_of_a_process_that_used_a_store_is_told_so(s3: Bucket, used: str, code: str) -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, s3.root, used], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == code, done.stderr


def test_a_write_carries_its_condition(bucket: Bucket) -> None:
    """Where nothing may be, or only where the tag is that was read; fake-gcs-server ignores it, Cloud Storage does not."""
    store = bucket.open()
    bucket.proxy.fail("")
    mark = store.put("a", b"1", None)
    store.put("a", b"2", mark.tag)
    first, second = [seen.headers for seen in bucket.proxy.seen if seen.method == "PUT"]
    if bucket.server.scheme == "gs":
        assert first["x-goog-if-generation-match"] == "0"
        assert second["x-goog-if-generation-match"] == mark.tag
    else:
        assert first["if-none-match"] == "*"
        assert second["if-match"] == mark.tag


def test_a_write_is_one_request_whatever_its_size(bucket: Bucket) -> None:
    """A condition holds for one request, not for an upload in parts."""
    data = bytes(12 << 20)
    store = bucket.open()
    bucket.proxy.fail("")
    store.put("big", data, None)
    assert [seen.method for seen in bucket.proxy.seen] == ["PUT"]
    assert store.get("big", len(data))[0] == data


def test_a_refused_condition_is_a_change(az: Bucket) -> None:
    with pytest.raises(Changed, match="someone else changed it first"):
        az.open().put("a", b"1", '"0x1"')


@pytest.mark.parametrize("endpoint", ["http://example.com", "http://10.0.0.1:80/x", "http://localhost.example.com"])
def test_plain_http_stays_on_this_machine(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"AWS_ENDPOINT_URL": "s3://b", "STORAGE_EMULATOR_HOST": "gs://b", "AZURE_STORAGE_ENDPOINT": "az://b"}
    for variable, root in places.items():
        monkeypatch.setenv(variable, endpoint)
        with pytest.raises(StoreFailed, match="plain http is for this machine only"):
            open_store(root, PATIENT)
    with pytest.raises(StoreFailed, match="plain http is for this machine only"):
        open_store(endpoint, PATIENT)


def test_missing_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(variable)
    with pytest.raises(StoreFailed, match=r"az://models can't be opened .*come from the environment"):
        open_store("az://models", PATIENT)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A service of container credentials, as SnapStart has: gives the authorizations that it was asked with."""
    asked: list[str] = []

    class Credentials(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            keys = {"AccessKeyId": "of-the-container", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
            body = json.dumps(keys).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Credentials)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/credentials")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_credentials_come_from_the_container_where_a_snapshot_has_no_keys(
    s3: Bucket, container: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-snapshot")
    s3.proxy.fail("")
    for _ in range(2):  # as before the snapshot and after the restore
        s3.open().keys("")
    assert container == ["of-the-snapshot"] * 2
    assert all("Credential=of-the-container/" in seen.headers["authorization"] for seen in s3.proxy.seen)


def test_a_session_token_and_the_region_of_the_environment_are_sent(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-session")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    s3.proxy.fail("")
    s3.open().keys("")
    (seen,) = s3.proxy.seen
    assert seen.headers["x-amz-security-token"] == "of-the-session"
    assert "/eu-west-1/s3/aws4_request" in seen.headers["authorization"]


def test_missing_credentials_are_told(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the platform's metadata service would be."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StoreFailed, match="no credentials in the environment"):
        s3.open().head("a")


def test_a_missing_bucket_is_told(bucket: Bucket) -> None:
    store = open_store(f"{bucket.server.scheme}://nobody-made-this", PATIENT)
    for ask in (lambda: store.put("a", b"", None), lambda: store.head("a")):
        with pytest.raises(Absent, match=r"nobody-made-this.* is not there"):
            ask()


def test_without_the_library_the_message_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StoreFailed, match=r"add flyweight\[stores\]"):
        open_store("s3://models", PATIENT)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server over a folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_server_is_read_from(web: str, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "m.safetensors").write_bytes(b"model")
    address = addresses.parse(f"{web}/a folder/m.safetensors")
    store = open_store(address.root, PATIENT)
    release = registry.resolve(store, address)
    assert (release.size, release.tag != "") == (5, True)
    assert registry.fetch(store, release) == b"model"
    with pytest.raises(Absent):
        store.get("nothing.safetensors", 9)


def test_a_web_server_without_tags_tells_a_change_by_time_and_size(web: str, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"model")
    store = open_store(web, PATIENT)
    before = store.head(model.name)
    assert store.head(model.name) == before
    model.write_bytes(b"model 2")
    assert store.head(model.name).tag != before.tag


def test_a_web_server_is_not_written_to(web: str) -> None:
    store = open_store(web, PATIENT)
    for ask in (lambda: store.put("a", b"", None), lambda: store.delete("a"), lambda: store.keys("")):
        with pytest.raises(StoreFailed, match="can only be read from"):
            ask()

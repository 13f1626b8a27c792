"""Object stores: forks, plain http, conditions on the wire, web servers, and missing settings."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.registry import addresses, releases
from flyweight.stores import Timeouts, open_store
from tests.services.fixtures import PATIENT, Bucket
from tests.services.web import Handler, HttpServer

FORKED = """
import os, sys
from flyweight.errors import StoreFailed
from flyweight.stores import Timeouts, open_store

early = open_store(sys.argv[1], Timeouts(5, 60))  # opened before the fork, not used before it
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
def test_a_child_of_a_process_that_used_a_store_is_refused(s3: Bucket, used: str, code: str) -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, s3.root, used], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == code, done.stderr


def test_a_write_carries_its_condition(bucket: Bucket) -> None:
    """Each write names the tag that must be there, or none; fake-gcs-server ignores this, Cloud Storage does not."""
    store = bucket.open()
    bucket.proxy.fail("")
    meta = store.put("a", b"1", None)
    store.put("a", b"2", meta.tag)
    first, second = [seen.headers for seen in bucket.proxy.seen if seen.method == "PUT"]
    if bucket.server.scheme == "gs":
        assert first["x-goog-if-generation-match"] == "0"
        assert second["x-goog-if-generation-match"] == meta.tag
    else:
        assert first["if-none-match"] == "*"
        assert second["if-match"] == meta.tag


def test_a_write_of_any_size_is_one_request(bucket: Bucket) -> None:
    """A condition holds for one request, not for an upload in parts."""
    data = bytes(12 << 20)
    store = bucket.open()
    bucket.proxy.fail("")
    store.put("big", data, None)
    assert [seen.method for seen in bucket.proxy.seen] == ["PUT"]
    assert store.get("big", len(data))[0] == data


def test_a_refused_condition_is_a_failed_precondition(az: Bucket) -> None:
    with pytest.raises(PreconditionFailed, match="someone else changed it first"):
        az.open().put("a", b"1", '"0x1"')


@pytest.mark.parametrize(
    "endpoint", ["http://example.com", "http://10.0.0.1:80/x", "http://localhost.example.com", "http://key:SECRET@example.com/x"]
)
def test_plain_http_stays_on_this_machine(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"AWS_ENDPOINT_URL": "s3://b", "STORAGE_EMULATOR_HOST": "gs://b", "AZURE_STORAGE_ENDPOINT": "az://b"}
    for variable, root in places.items():
        monkeypatch.setenv(variable, endpoint)
        with pytest.raises(StoreFailed, match="plain http is for this machine only") as caught:
            open_store(root, PATIENT)
        assert "SECRET" not in str(caught.value)
    with pytest.raises(StoreFailed, match="plain http is for this machine only"):
        open_store(endpoint, PATIENT)


def test_a_missing_bucket_is_named(bucket: Bucket) -> None:
    store = open_store(f"{bucket.server.scheme}://nobody-made-this", PATIENT)
    for ask in (lambda: store.put("a", b"", None), lambda: store.head("a")):
        with pytest.raises(ObjectNotFound, match=r"nobody-made-this.* is not there"):
            ask()


def test_without_the_library_the_message_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StoreFailed, match="install flyweight with the extra `stores`"):
        open_store("s3://models", PATIENT)


@contextmanager
def serving(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a folder, and give its address."""

    class Files(Handler, SimpleHTTPRequestHandler):
        """Answers with files of the folder."""

    with HttpServer(partial(Files, directory=str(folder)), tls=tls) as server:
        yield server.url


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Plain http, as it is allowed on this machine."""
    with serving(tmp_path) as url:
        yield url


def certificate(folder: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = built.add_extension(here, critical=False).sign(key, hashes.SHA256())
    path = folder / "certificate.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_https_needs_a_certificate_that_the_system_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"model")
    pem = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with serving(tmp_path, tls) as url:
        with pytest.raises(StoreFailed, match="can't be reached"):
            open_store(url, Timeouts()).head("m.safetensors")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert open_store(url, PATIENT).get("m.safetensors", 9)[0] == b"model"


def test_a_web_server_can_be_read(web: str, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "m.safetensors").write_bytes(b"model")
    address = addresses.parse(f"{web}/a folder/m.safetensors")
    store = open_store(address.root, PATIENT)
    release = releases.resolve(store, address)
    assert (release.size, release.tag != "") == (5, True)
    assert releases.fetch(store, release) == b"model"
    with pytest.raises(ObjectNotFound):
        store.get("nothing.safetensors", 9)


def test_a_web_server_without_tags_gets_tags_of_time_and_size(web: str, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"model")
    store = open_store(web, PATIENT)
    before = store.head(model.name)
    assert store.head(model.name) == before
    model.write_bytes(b"model 2")
    assert store.head(model.name).tag != before.tag


def test_a_web_server_can_not_be_written(web: str) -> None:
    store = open_store(web, PATIENT)
    for ask in (lambda: store.put("a", b"", None), lambda: store.delete("a"), lambda: store.keys("")):
        with pytest.raises(StoreFailed, match="can only be read from"):
            ask()

"""Our own client of S3: what it sends, what it refuses to take, and what it leaves to obstore."""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, objects, open_store, s3
from flyweight.stores.connection import Connection, Place, Timer
from tests.services.fixtures import PATIENT, Bucket
from tests.services.web import Handler, HttpServer
from tests.stores.test_credentials import Identity

ONCE = Timeouts(connect=20.0, seconds=20.0, retries=0)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, and no endpoint."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", *s3.PROXIES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("bucket", "region", "host", "base"),
    [
        ("models", "eu-central-1", "models.s3.eu-central-1.amazonaws.com", ""),
        ("models.example", "eu-central-1", "s3.eu-central-1.amazonaws.com", "/models.example"),
        ("Old_Name", "us-east-1", "s3.us-east-1.amazonaws.com", "/Old_Name"),
        ("models", "cn-north-1", "models.s3.cn-north-1.amazonaws.com.cn", ""),
    ],
)
def test_a_bucket_is_a_part_of_the_host_where_certificates_allow_it(
    bucket: str, region: str, host: str, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    store = open_store(f"s3://{bucket}/a")
    assert isinstance(store, s3.S3Store)
    assert (store._place.authority, store._place.secure, store._base) == (host, True, base)


@pytest.mark.usefixtures("keys")
def test_what_only_obstore_can_do_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_store("s3://models--use1-az4--x-s3"), objects.ObjectStore)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(open_store("s3://models"), objects.ObjectStore)
    monkeypatch.delenv("HTTPS_PROXY")
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    assert isinstance(open_store("s3://models"), objects.ObjectStore)


def test_without_obstore_models_are_read_all_the_same(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.open().put("a", b"1", None)
    monkeypatch.setitem(sys.modules, "obstore", None)
    assert s3.open().get("a", 9)[0] == b"1"
    with pytest.raises(StoreFailed, match="needs obstore for all but reading, which is not installed here"):
        s3.open().put("b", b"1", None)


def test_a_request_carries_the_session_and_the_region_of_the_environment(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-session")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    s3.proxy.fail("")
    with pytest.raises(ObjectNotFound):
        s3.open().get("a b/ü\r\nx", 9)
    (seen,) = s3.proxy.seen
    assert seen.path.endswith("/pre/fix/a%20b/%C3%BC%0D%0Ax")
    assert seen.headers["x-amz-security-token"] == "of-the-session"
    assert "/eu-west-1/s3/aws4_request" in seen.headers["authorization"]


def test_after_a_snapshot_credentials_come_from_the_service_of_the_machine(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.open().put("a", b"1", None)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    with Identity() as identity:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{identity.server_port}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-snapshot")
        s3.proxy.fail("")
        assert s3.open().get("a", 9)[0] == b"1"
        assert identity.tokens == ["of-the-snapshot"]
    (seen,) = s3.proxy.seen
    assert "Credential=of-the-container/" in seen.headers["authorization"] and seen.headers["x-amz-security-token"] == "t"


def test_a_range_is_read_of_the_announced_object_only(s3: Bucket) -> None:
    store = s3.open()
    meta = store.put("a", b"0123456789", None)
    s3.proxy.fail("")
    assert store.read("a", meta, 3, 4) == b"3456"
    assert s3.proxy.seen[0].headers["if-match"] == meta.tag and s3.proxy.seen[0].headers["range"] == "bytes=3-6"
    store.put("a", b"9876543210", meta.tag)
    with pytest.raises(PreconditionFailed, match="was replaced"):
        store.read("a", meta, 3, 4)


@pytest.mark.usefixtures("keys")
def test_several_reads_use_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = set()

    class Objects(Handler):
        """Notes the connection of each request."""

        def do_GET(self) -> None:
            callers.add(self.client_address)
            self.reply(200, b"model", {"etag": '"1"'})

    with HttpServer(Objects) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        store = open_store("s3://b", PATIENT)
        assert [store.get("a", 9)[0] for _ in range(3)] == [b"model"] * 3
        assert len(callers) == 1
        monkeypatch.setattr(s3, "KEPT_SECONDS", 0.0)
        store.get("a", 9)
        assert len(callers) == 2
        del store


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("text", ["a\r\nx-injected: 1", "a b", "ключ"])
def test_credentials_can_not_add_headers(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(name, text)
    with pytest.raises(StoreFailed, match="credentials in the environment have blanks") as raised:
        open_store("s3://b", ONCE).get("a", 9)
    assert text not in str(raised.value)


@pytest.mark.usefixtures("keys")
def test_settings_without_a_meaning_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1/../x")
    with pytest.raises(StoreFailed, match="AWS_REGION should be a region"):
        open_store("s3://b")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for text in ("https://", "ftp://a", "https://a b", "https://user:word@host", "https://näme.example"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", text)
        with pytest.raises(StoreFailed, match="AWS_ENDPOINT_URL: expected a URL such as") as raised:
            open_store("s3://b")
        assert "word" not in str(raised.value)


def raw(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the client makes of a server's bytes: an object, or the error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        try:
            return open_store("s3://b", ONCE).get("a", 10)
        except FlyweightError as error:
            return error
        finally:
            thread.join(60)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", ModelRefused),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", ModelRefused),
        (b"HTTP/1.1 200 OK\r\n\r\nmodel", StoreFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nmodel", StoreFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nmodel\r\n0\r\n\r\n", StoreFailed),
        (b"HTTP/1.1 200 OK\r\nETag: a\nx: y\r\nContent-Length: 5\r\n\r\nmodel", StoreFailed),
        (b"HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 5\r\n\r\nmodel", StoreFailed),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"Content-Length: 5\r\n\r\nmodel", StoreFailed),
        (b"HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nmodel", StoreFailed),
        (b"", StoreFailed),
    ],
)
def test_answers_of_another_form_are_refused(answer: bytes, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(raw(answer, monkeypatch)) is kind


@pytest.mark.usefixtures("keys")
def test_an_interim_answer_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b'HTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.0 200 OK\r\nETag: "1"\r\nContent-Length: 5\r\n\r\nmodel'
    data, meta = raw(answer, monkeypatch)
    assert (data, meta) == (b"model", ('"1"', 5, 0.0))


@given(some.binary(max_size=200) | some.binary(max_size=200).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
def test_no_bytes_make_a_head_fail_otherwise_than_by_its_own_error(data: bytes) -> None:
    near, far = socket.socketpair()
    connection = Connection.__new__(Connection)
    connection.socket, connection.secure, connection._rest = near, None, b""  # type: ignore[assignment]
    with near, far:
        far.sendall(data)
        far.shutdown(socket.SHUT_WR)
        try:
            status, headers = connection._head(Timer(20.0, 20.0, monotonic() + 20.0))
        except OSError:
            return
        assert len(status) == 3 and status.isdecimal()
        assert all(name == name.lower() and (name + value).isprintable() for name, value in headers.items())


@given(some.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1)))
def test_times_are_read_as_the_standard_library_reads_them(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert s3._seconds(format_datetime(moment, usegmt=True)) == moment.timestamp()


@given(some.text())
def test_a_text_that_is_no_time_is_the_beginning_of_times(text: str) -> None:
    assert isinstance(s3._seconds(text), float)


@pytest.mark.parametrize(
    ("url", "authority", "port"),
    [
        ("https://a.example", "a.example", 443),
        ("http://127.0.0.1:80", "127.0.0.1", 80),
        ("https://[::1]:8443/x/", "[::1]:8443", 8443),
    ],
)
def test_a_place_has_a_port_in_its_name_where_it_is_not_the_usual_one(url: str, authority: str, port: int) -> None:
    place = Place(url)
    assert (place.authority, place.port) == (authority, port)

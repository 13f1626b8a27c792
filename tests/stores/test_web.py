"""Web servers: redirects stay where they began, answers end in time, and messages hold no token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store
from flyweight.stores.web import WebStore
from tests.services.web import Handler, HttpServer

BRIEF = Timeouts(connect=0.5, seconds=1.0, retries=2)
DATA = bytes(range(256)) * 40


class Site(Handler):
    """Answers by the name of the object: some redirect, some are slow or broken."""

    asked: ClassVar[list[tuple[str, str]]] = []
    elsewhere = ""

    def do_GET(self) -> None:
        """Answer a request."""
        name = self.path.rpartition("/")[2]
        self.asked.append((self.headers["Host"], self.path))
        if name.startswith("to-"):
            where = {"to-port": self.elsewhere, "to-name": self.elsewhere.replace("127.0.0.1", "localhost")}
            here = f"http://{self.headers['Host']}"
            where |= {
                "to-here": f"{here}/real",
                "to-path": "/real",
                "to-tls": here.replace("http", "https"),
                "to-loop": "/to-loop",
            }
            return self.answer(
                302, {"Location": f"{where[name]}/real?token=SECRET" if name in ("to-port", "to-name") else where[name]}
            )
        status = int(name) if name.isdecimal() else 200
        if name == "missing":
            status = 404
        if name == "once" and [path for _, path in self.asked].count(self.path) == 1:
            status = 503
        begin, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        piece = DATA[int(begin) : int(end or len(DATA)) + 1] if name != "no-ranges" else DATA
        headers = {"Content-Length": str(len(piece)), "ETag": '"one"'}
        if len(piece) < len(DATA):
            status, headers["Content-Range"] = 206, f"bytes {begin}-{end}/{len(DATA)}"
        self.answer(status, {} if name == "endless" else headers, piece, drips=name == "drips")

    do_HEAD = do_GET

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"", drips: bool = False) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status == 302:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command == "GET" and drips:
            for place in range(50):
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
                time.sleep(0.1)
        elif self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Log nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Two servers, of which one redirects to the other."""
    Site.asked = []
    with HttpServer(Site) as one, HttpServer(Site) as other:
        Site.elsewhere = other.url
        yield one.url


def opened(site: str) -> WebStore:
    store = open_store(f"{site}/models", BRIEF)
    assert isinstance(store, WebStore)
    return store


@pytest.mark.parametrize("name", ["to-port", "to-name", "to-tls"])
def test_a_redirect_to_another_place_is_not_followed(site: str, name: str) -> None:
    for ask in (lambda: opened(site).get(name, 1 << 20), lambda: opened(site).head(name)):
        with pytest.raises(StoreFailed, match="redirects to another scheme, host or port") as refused:
            ask()
        assert "SECRET" not in str(refused.value)
    assert {host for host, _ in Site.asked} == {site.rpartition("/")[2]}


@pytest.mark.parametrize("name", ["to-here", "to-path"])
def test_a_redirect_on_the_same_server_is_followed(site: str, name: str) -> None:
    assert opened(site).get(name, 1 << 20)[0] == DATA
    assert opened(site).head(name).size == len(DATA)


def test_a_redirect_without_end_ends(site: str) -> None:
    with pytest.raises(StoreFailed, match="the server answers 302"):
        opened(site).get("to-loop", 9)


def test_pieces_are_read_of_servers_with_and_without_ranges(site: str) -> None:
    for name in ("m", "no-ranges"):
        store = opened(site)
        meta = store.head(name)
        assert store.read(name, meta, 100, 50) == DATA[100:150]
        assert store.read(name, meta, len(DATA) - 5, 50) == DATA[-5:]
        assert store.read(name, meta, len(DATA), 50) == b""
        with pytest.raises(PreconditionFailed):
            store.read(name, meta._replace(tag="another"), 0, 9)


def test_only_a_fault_that_may_pass_is_asked_again(site: str) -> None:
    store = opened(site)
    assert store.get("once", 1 << 20)[0] == DATA
    for name, error, requests in (
        ("missing", ObjectNotFound, 1),
        ("403", StoreFailed, 1),
        ("400", StoreFailed, 1),
        ("500", StoreFailed, 3),
    ):
        Site.asked.clear()
        with pytest.raises(error):
            store.get(name, 1 << 20)
        assert len(Site.asked) == requests, name


def test_an_answer_that_comes_byte_by_byte_ends_in_time(site: str) -> None:
    with pytest.raises(StoreFailed, match=r"broke off|in time"):
        opened(site).get("drips", 1 << 20)
    assert len(Site.asked) == 1


def test_an_object_larger_than_its_limit_or_of_unknown_size_is_not_read(site: str) -> None:
    with pytest.raises(ModelRefused, match=f"has {len(DATA)} bytes, the limit is 99"):
        opened(site).get("m", 99)
    with pytest.raises(StoreFailed, match="does not say how many bytes"):
        opened(site).get("endless", 1 << 20)


def test_plain_http_is_for_this_machine() -> None:
    with pytest.raises(StoreFailed, match="plain http is for this machine only"):
        open_store("http://example.com/models", BRIEF)

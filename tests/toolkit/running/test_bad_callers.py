"""Callers that are slow, or send what can be read in two ways, do not shut others out: over plain sockets, for any server."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.toolkit.running.server import Server
from tests.services.web import GENEROUS, exchange, wait_until

POST = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"  # what a smuggler wants to be taken for another request
FORMS = {
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length twice": POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "a signed length": POST + b"Content-Length: +4\r\n\r\nabcd",
    "a negative length": POST + b"Content-Length: -4\r\n\r\nabcd",
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\nabcdefghij",
    "a length in other digits": POST + "Content-Length: ٤\r\n\r\nabcd".encode(),
    "a length of 5,000 digits": POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabcd",
    "a negative chunk": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "a signed chunk": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a chunk with an underscore": CHUNKED + b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"1\r\naXX0\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "another coding after chunked": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding with a control character": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded header": GET + b"A: b\r\n c\r\n\r\n",
    "a folded length": POST + b"Content-Length:\r\n 4\r\n\r\nabcd",
    "a header before the first": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "NUL in a value": GET + b"A: b\0c\r\n\r\n",
    "NUL in a name": GET + b"A\0: b\r\n\r\n",
    "a space before the colon": GET + b"Content-Length : 4\r\n\r\nabcd",
    "no colon": GET + b"Abc\r\n\r\n",
    "no name": GET + b": b\r\n\r\n",
    "a carriage return alone": GET + b"A: b\rC: d\r\n\r\n",
    "a line feed alone": GET + b"A: b\nC: d\r\n\r\n",
    "line feeds only": b"GET /health HTTP/1.1\nHost: x\n\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "another version": b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a space in the path": b"GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n",
}
HUGE = {
    "a long header": GET + b"A: " + b"b" * 300_000 + b"\r\n\r\n",
    "a long path": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": GET + b"".join([b"A%d: b\r\n" % number for number in range(20_000)]) + b"\r\n",
    "headers without an end": GET + b"A: " + b"b" * 300_000,
}
Start = Callable[..., int]


@pytest.fixture(scope="module")
def start(penguins: Path) -> Iterator[Start]:
    """From the seconds in which a request has to arrive to the port of a server; only this fixture names the server."""
    with ExitStack() as stack:

        def started(seconds: int | None = None) -> int:
            server = stack.enter_context(Server(penguins, "127.0.0.1", 0, seconds))
            return int(server.url.rpartition(":")[2])

        yield started


@pytest.fixture(scope="module")
def port(start: Start) -> int:
    return start()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=GENEROUS)


def said(port: int, data: bytes) -> list[int]:
    """Send bytes over a connection of their own, and read until the server closes it.

    :returns: the status of each answer.
    """
    received = b""
    with closing(connected(port)) as connection:
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        except (ConnectionResetError, BrokenPipeError):  # closed by the server while something was still on the way
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


@pytest.mark.parametrize("slow", [120, 400])
@pytest.mark.parametrize("half", [b"", POST + b"Content-Le", POST + b"Content-Length: 100\r\n\r\nabc", CHUNKED + b"5\r\nab"])
def test_others_are_answered_beside_slow_connections(slow: int, half: bytes, port: int) -> None:
    with ExitStack() as stack:
        for _ in range(slow):
            stack.enter_context(closing(connected(port))).sendall(half)
        assert exchange(port, "GET", "/health")[0] == 200


@pytest.mark.parametrize("half", [b"", GET[:9], POST + b"Content-Length: 100\r\n\r\nabc"])
def test_a_connection_that_says_nothing_more_is_closed(half: bytes, start: Start) -> None:
    assert [status for status in said(start(1), half) if status < 400] == []


def test_a_caller_who_sends_a_byte_now_and_then_is_not_waited_for(start: Start) -> None:
    with closing(connected(start(1))) as connection:
        connection.setblocking(False)

        def closed() -> bool:
            try:
                connection.send(b"a")
                return connection.recv(10) == b""
            except BlockingIOError:
                return False
            except (ConnectionResetError, BrokenPipeError):
                return True

        connection.send(GET + b"A: ")
        wait_until(closed, "the connection is closed", pause=0.2)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_request_that_can_be_read_in_two_ways_is_refused_and_its_connection_closed(form: bytes, port: int) -> None:
    assert said(port, form + NEXT) in ([400], [501]), "and what follows is not taken for a request"
    assert exchange(port, "GET", "/health")[0] == 200


@pytest.mark.parametrize("form", HUGE.values(), ids=HUGE.keys())
def test_huge_headers_are_refused(form: bytes, port: int) -> None:
    assert said(port, form + NEXT) in ([431], [414], []), "it may close before the caller has read the answer"
    assert exchange(port, "GET", "/health")[0] == 200


def test_requests_in_one_packet_are_answered_in_their_order(port: int) -> None:
    first, missing = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    assert said(port, first + missing + first + NEXT) == [200, 404, 200, 200]


def test_a_thousand_requests_in_one_packet_leave_others_their_turn(port: int) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        assert exchange(port, "GET", "/health")[0] == 200


@given(
    st.lists(
        st.sampled_from([*FORMS.values(), GET, POST, CHUNKED, b"\r\n", b"0\r\n\r\n", b"\0"]) | st.binary(max_size=9), max_size=4
    )
)
@settings(max_examples=60, deadline=None)
def test_no_bytes_stop_the_server(port: int, parts: list[bytes]) -> None:
    with closing(connected(port)) as connection:
        connection.sendall(b"".join(parts))
    assert exchange(port, "GET", "/health")[0] == 200

"""What one caller does costs no other its answer: caps, slow readers, the end of a server; over plain sockets."""

from __future__ import annotations

import re
import select
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email.utils import parsedate_to_datetime
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from flyweight.errors import FlyweightError
from flyweight.settings import Serving
from flyweight.values import Response
from tests.services.web import GENEROUS, wait_until

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LONG = bytes(8 << 20)
Start = Callable[..., Any]


@pytest.fixture(params=["epoll", "select"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """From what answers a request, and bounds, to a server that runs in a thread; its attribute `port` is its port."""
    if request.param == "select":  # as on systems other than Linux
        monkeypatch.delattr(select, "epoll", raising=False)
    from server_loop import Server
    from server_sockets import listen

    with ExitStack() as stack:

        def started(answer: Callable[[Any], bytes], host: str = "127.0.0.1", **bounds: Any) -> Any:
            def respond(message: Any) -> Response:
                status = message.error.status if isinstance(message.error, FlyweightError) else 200
                body = answer(message) if message.error is None else b"refused"
                return Response(status, {"content-length": str(len(body))}, b"" if message.method == "HEAD" else body)

            server = Server(listen(host, 0), respond, Serving(**bounds), 1 << 20)
            server.port = server.listener.getsockname()[1]
            server.thread = Thread(target=server.run, daemon=True)
            server.thread.start()
            stack.callback(server.thread.join, GENEROUS)
            stack.callback(server.close)
            return server

        yield started


def connected(server: Any, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, server.port), timeout=GENEROUS)


def received(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def said(server: Any, data: bytes, host: str = "127.0.0.1") -> bytes:
    with closing(connected(server, host)) as connection:
        connection.sendall(data)
        return received(connection)


def statuses(data: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def long_or_ok(message: Any) -> bytes:
    return LONG if message.path == "/long" else b"ok"


def test_at_the_cap_the_connection_that_waits_longest_makes_room(start: Start) -> None:
    server = start(lambda message: b"ok", connections=3)
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(closing(connected(server))) for _ in range(3)]
        wait_until(lambda: len(server.connections) == 3, "three connections are open")
        assert statuses(said(server, LAST)) == [200]
        assert first.recv(1) == b"", "the oldest was closed"


def test_at_the_cap_of_connections_at_work_others_hear_503(start: Start) -> None:
    go, begun = Event(), Event()

    def answer(message: Any) -> bytes:
        begun.set()
        assert go.wait(GENEROUS)
        return b"ok"

    server = start(answer, connections=1)
    with closing(connected(server)) as busy:
        busy.sendall(LAST)
        assert begun.wait(GENEROUS)
        refused = said(server, LAST)
        go.set()
        assert statuses(received(busy)) == [200]
    assert statuses(refused) == [503]


def test_a_caller_who_does_not_read_a_long_answer_is_cut_off(start: Start) -> None:
    server = start(lambda message: bytes(16 << 20), write_seconds=0.2 - (16 << 20) / 65536)
    with closing(connected(server)) as connection:
        connection.sendall(GET)
        assert connection.recv(1) == b"H"
        wait_until(lambda: not server.connections, "the connection is closed")


def test_callers_who_do_not_read_keep_no_other_waiting(start: Start) -> None:
    server = start(long_or_ok)
    with ExitStack() as stack:
        for _ in range(200):
            caller = stack.enter_context(closing(socket.socket()))
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.connect(("127.0.0.1", server.port))
            caller.sendall(GET.replace(b"/health", b"/long"))
        assert statuses(said(server, LAST)) == [200]


def test_an_answer_that_takes_long_keeps_no_other_waiting(start: Start) -> None:
    go, begun = Event(), Event()

    def answer(message: Any) -> bytes:
        if message.path == "/slow":
            begun.set()
            assert go.wait(GENEROUS)
        return message.path.encode()

    server = start(answer)
    with closing(connected(server)) as slow, closing(connected(server)) as kept:
        kept.sendall(GET)
        assert kept.recv(1000).endswith(b"/health")
        slow.sendall(GET.replace(b"/health", b"/slow"))
        assert begun.wait(GENEROUS)
        for _ in range(3):
            kept.sendall(GET)
            assert kept.recv(1000).endswith(b"/health")
            assert statuses(said(server, LAST)) == [200]
        go.set()
        assert slow.recv(1000).endswith(b"/slow")
        slow.sendall(LAST)
        assert received(slow).endswith(b"/health"), "and its connection was kept"


def test_answers_that_take_long_are_made_side_by_side(start: Start) -> None:
    together = Barrier(6)

    def answer(message: Any) -> bytes:
        together.wait(GENEROUS)
        return b"ok"

    server = start(answer)
    with ExitStack() as stack:
        callers = [stack.enter_context(closing(connected(server))) for _ in range(6)]
        for caller in callers:
            caller.sendall(LAST)
        assert [statuses(received(caller)) for caller in callers] == [[200]] * 6


def test_a_long_answer_that_ends_while_another_is_made_leaves_both_connections_in_order(start: Start) -> None:
    begun, go = ({path: Event() for path in ("/first", "/second")} for _ in range(2))

    def answer(message: Any) -> bytes:
        if message.path in begun:
            begun[message.path].set()
            assert go[message.path].wait(GENEROUS)
        return message.path.encode()

    server = start(answer)
    with closing(connected(server)) as first, closing(connected(server)) as second:
        first.sendall(b"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
        assert begun["/first"].wait(GENEROUS)
        second.sendall(GET.replace(b"/health", b"/second"))  # a shorter body, which is not expected to take as long
        assert begun["/second"].wait(GENEROUS)
        go["/first"].set()
        assert first.recv(1000).endswith(b"/first")
        go["/second"].set()
        assert second.recv(1000).endswith(b"/second")
        for caller in (first, second):
            caller.sendall(LAST)
            assert received(caller).endswith(b"/health"), "each connection was kept"
    assert server.thread.is_alive()


def test_a_request_behind_a_long_answer_is_answered_when_that_was_read(start: Start) -> None:
    answer = said(start(long_or_ok), GET.replace(b"/health", b"/long") + LAST)
    assert statuses(answer) == [200, 200] and len(answer) > len(LONG) and answer.endswith(b"ok")


def test_an_error_in_what_answers_costs_its_own_connection_only(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: errors.append(error[1]))
    server = start(lambda message: message.body if message.path == "/health" else [][0])
    assert said(server, GET.replace(b"/health", b"/wrong")) == b""
    assert statuses(said(server, LAST)) == [200] and [type(error) for error in errors] == [IndexError]


def test_a_server_whose_own_thread_fails_ends_with_an_error(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    from server_loop import Server

    monkeypatch.setattr(sys, "unraisablehook", lambda error: None)
    monkeypatch.setattr(Server, "_look", lambda self: [][0])
    ended: list[str] = []

    def run(self: Any, run: Callable[..., None] = Server.run) -> None:
        try:
            run(self)
        except RuntimeError as error:
            ended.append(str(error))

    monkeypatch.setattr(Server, "run", run)
    server = start(lambda message: b"ok")
    with closing(connected(server)):
        server.thread.join(GENEROUS)
    assert ended and ended[0].startswith("the server's thread has failed")


def test_a_server_that_was_closed_does_not_run() -> None:
    from server_loop import Server
    from server_sockets import listen

    server = Server(listen("127.0.0.1", 0), lambda message: None, Serving(), 1 << 20)
    server.close()
    server.run()
    assert server.listener.fileno() == -1


def test_a_server_is_closed_while_an_answer_is_made(start: Start) -> None:
    go, begun = Event(), Event()

    def answer(message: Any) -> bytes:
        begun.set()
        assert go.wait(GENEROUS)
        return b"ok"

    server = start(answer)
    with closing(connected(server)) as caller:
        caller.sendall(GET)
        assert begun.wait(GENEROUS)
        server.close()
        server.thread.join(GENEROUS)
        assert not server.thread.is_alive() and caller.recv(1) == b""
        go.set()


def test_a_long_answer_arrives_whole(start: Start) -> None:
    head, _, body = said(start(lambda message: b"ab" * (1 << 20)), LAST).partition(b"\r\n\r\n")
    assert body == b"ab" * (1 << 20) and b"content-length: 2097152" in head


def test_a_body_that_is_too_large_is_refused_while_it_is_on_the_way(start: Start) -> None:
    data = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)
    assert statuses(said(start(lambda message: b"ok"), data)) == [413]


@pytest.mark.parametrize("framing", [b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_who_asks_before_sending_a_body_hears_to_go_on_once(framing: bytes, start: Start) -> None:
    server = start(lambda message: message.body)
    with closing(connected(server)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n" + framing + b"\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc" if framing.startswith(b"Content") else b"1\r\na\r\n")
        connection.sendall(b"" if framing.startswith(b"Content") else b"2\r\nbc\r\n0\r\n\r\n")
        answer = received(connection)
    assert statuses(answer) == [200] and answer.endswith(b"\r\n\r\nabc")


def test_who_asks_before_sending_too_large_a_body_hears_that_at_once(start: Start) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000000\r\n\r\n"
    with closing(connected(start(lambda message: b"ok"))) as connection:
        connection.sendall(head)
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"GET / HTTP/1.0\r\n\r\n" + LAST, 1),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST, 2),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n" + LAST, 1),
        (GET + GET + b"\r\n" + LAST, 3),
    ],
)
def test_connections_are_kept_as_the_caller_says(data: bytes, answers: int, start: Start) -> None:
    assert statuses(said(start(lambda message: b"ok"), data)) == [200] * answers


def test_an_answer_has_a_date_its_length_and_no_body_for_head(start: Start) -> None:
    answer = said(start(lambda message: b"four"), b"HEAD" + LAST[3:])
    head, _, body = answer.decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert parsedate_to_datetime(headers["date"]).tzinfo is not None
    assert (headers["content-length"], headers["connection"], body) == ("4", "close", "")


def test_no_header_begins_another_line() -> None:
    from server_connections import head as written

    head = written(Response(200, {"a": "b\r\nset-cookie: c", "d": "\u2192"}, b""), True)
    assert b"a: b  set-cookie: c\r\n" in head and b"d: ?\r\n" in head and head.count(b"\r\n") == 6


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_a_host_all_addresses_answer(host: str, start: Start) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    assert statuses(said(start(lambda message: b"ok", ""), LAST, host)) == [200]


def has_ipv6() -> bool:
    try:
        with closing(socket.socket(socket.AF_INET6)) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_server_that_stops_finishes_what_has_begun_and_closes_the_rest(start: Start) -> None:
    server = start(lambda message: message.body)
    results: list[bool] = []
    with closing(connected(server)) as idle, closing(connected(server)) as begun:
        idle.sendall(GET)
        assert statuses(idle.recv(1000)) == [200]
        begun.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        wait_until(lambda: any(connection.busy for connection in server.connections.values()), "the request has begun")
        stopping = Thread(target=lambda: results.append(server.drain()))
        stopping.start()
        assert idle.recv(1) == b"", "the idle one is closed"
        assert statuses(said(server, GET)) == [200], "a new connection gets one answer"
        begun.sendall(b"cd")
        answer = received(begun)
        stopping.join(GENEROUS)
    assert statuses(answer) == [200] and b"connection: close" in answer and answer.endswith(b"abcd")
    assert results == [True]
    server.thread.join(GENEROUS)
    with pytest.raises(OSError):
        connected(server)


def test_a_server_that_stops_waits_for_its_grace_and_no_longer(start: Start) -> None:
    server = start(lambda message: b"ok", grace_seconds=0.1)
    with closing(connected(server)) as begun:
        begun.sendall(GET[:9])
        wait_until(lambda: any(connection.busy for connection in server.connections.values()), "the request has begun")
        assert server.drain() is False

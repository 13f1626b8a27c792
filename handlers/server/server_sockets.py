"""Open the listening socket, and wait for many sockets at once: by epoll on Linux, by select elsewhere.

`_socket` is the part in C of `socket`, whose import takes longer than loading a model.
"""

import _socket
import select
import time
from _socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Poller(Protocol):
        """What `select.epoll` offers of which the server makes use; sockets are given by their number."""

        def register(self, descriptor: int, events: int) -> None:
            """Wait for events of one more socket."""

        def modify(self, descriptor: int, events: int) -> None:
            """Wait for other events of a socket."""

        def unregister(self, descriptor: int) -> None:
            """Wait no longer for a socket."""

        def poll(self, timeout: float) -> list[tuple[int, int]]:
            """Wait for at most `timeout` seconds; return the sockets that are ready, with their events."""
            ...

        def close(self) -> None:
            """Free what the system holds for it."""


EXCLUSIVE: int = getattr(select, "EPOLLEXCLUSIVE", 0)  # of several processes that wait for one socket, not all are woken
BACKLOG = 1024  # connections that the system holds until they are accepted
READABLE, WRITABLE = 1, 4  # events, with the values that epoll has for them
SHORT = 0.05  # seconds; a wait that nothing can end early takes no longer
FEW = 256  # sockets for which select can wait on every system, with room for other files of the process


def listen(host: str, port: int) -> socket:
    """Open a listening socket.

    :param host: a name or an address; "" for all addresses of this machine, of IPv6 and IPv4.
    :param port: 0 for a free one.
    :raises OSError: the address is in use or does not exist.
    """
    family = AF_INET6 if ":" in host or not host else AF_INET
    try:
        listener = _bound(family, host or "::", port)
    except OSError:
        if host:
            raise
        listener = _bound(AF_INET, "0.0.0.0", port)  # a machine without IPv6
    listener.listen(BACKLOG)
    return listener


def _bound(family: int, host: str, port: int) -> socket:
    listener = socket(family, SOCK_STREAM)
    try:
        if hasattr(time, "pthread_getcpuclockid"):  # elsewhere, on Windows, the option lets two servers have one port
            listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if family == AF_INET6 and host == "::":
            from _socket import IPPROTO_IPV6, IPV6_V6ONLY

            listener.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)
        listener.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # connections inherit it
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def poller() -> "Poller":
    """Make what waits for sockets on this system."""
    return select.epoll() if hasattr(select, "epoll") else Selection()


class Selection:
    """Waits as `select.epoll` does, by `select.select`; for at most FEW sockets."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, descriptor: int, events: int) -> None:
        """Wait for events of one more socket."""
        self._events[descriptor] = events

    modify = register

    def unregister(self, descriptor: int) -> None:
        """Wait no longer for a socket."""
        del self._events[descriptor]

    def poll(self, timeout: float) -> "list[tuple[int, int]]":
        """Wait for at most SHORT or `timeout` seconds; return the sockets that are ready, with their events."""
        events = self._events.items()
        readable = [descriptor for descriptor, wanted in events if wanted & READABLE]
        writable = [descriptor for descriptor, wanted in events if wanted & WRITABLE]
        read, write, _ = select.select(readable, writable, [], min(timeout, SHORT))
        return [(descriptor, READABLE) for descriptor in read] + [(descriptor, WRITABLE) for descriptor in write]

    def close(self) -> None:
        """Wait for nothing any more."""
        self._events.clear()


class Waker:
    """Ends the wait of a poller from another thread.

    :raises OSError: the process has no more files.
    """

    def __init__(self, waiting: "Poller") -> None:
        self._ends: tuple[socket, ...] = ()
        self.descriptor = -1
        if not isinstance(waiting, Selection):  # which waits for short times only
            self._ends = _socket.socketpair()
            for end in self._ends:
                end.settimeout(0.0)
            self.descriptor = self._ends[0].fileno()
            waiting.register(self.descriptor, READABLE)

    def wake(self) -> None:
        """End the wait."""
        try:
            for end in self._ends[1:]:
                end.send(b"\0")
        except OSError:  # it is to end already, or was closed
            pass

    def clear(self) -> None:
        """Let the next wait last again."""
        try:
            self._ends[0].recv(4096)
        except OSError:
            pass

    def close(self) -> None:
        """Close what it holds; `wake` has no effect any more."""
        for end in self._ends:
            end.close()

"""Run the server until SIGTERM: one process, or several that share a model which was loaded before the fork."""

import sys
from _signal import SIGINT, SIGTERM, signal  # type: ignore[import-not-found]
from _thread import allocate_lock, start_new_thread

from server_connections import Server, listen

from flyweight import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Socket
    from types import FrameType

    from server_connections import Answer

    from flyweight.serving.service import Service
    from flyweight.settings import Serving


FORK_FIRST = "--fork-first"  # `server_workers` gives it where loading a model starts threads, which a fork would lose


def run(answer: "Answer", service: "Service") -> None:
    """Answer requests until SIGTERM or Ctrl-C, and exit: with 0 if all requests that had begun were finished.

    :raises InvalidSetting: a setting of the server has a value with no meaning.
    :raises OSError: the port is in use.
    """
    bounds = settings.serving()
    listener = listen(bounds.host, bounds.port)
    if bounds.workers == 1:
        sys.exit(serve(listener, answer, service, bounds))
    from server_workers import run_workers  # imported late: most containers have one process

    sys.exit(run_workers(bounds.workers, lambda: serve(listener, answer, service, bounds)))


def serve(listener: "Socket", answer: "Answer", service: "Service", bounds: "Serving") -> int:
    """Answer requests until SIGTERM or Ctrl-C.

    :returns: the exit status.
    """
    server = Server(listener, answer, bounds, service.settings.limits.max_body_bytes)
    statuses: list[int] = []
    drained = allocate_lock()
    drained.acquire()

    def drain() -> None:
        statuses.append(0 if server.drain() else 1)
        drained.release()

    def stop(number: int, frame: "FrameType | None") -> None:
        if not service.stopping:
            service.stopping = True
            start_new_thread(drain, ())  # this thread goes on accepting, so that callers see that it is not ready

    for number in (SIGTERM, SIGINT):
        signal(number, stop)
    if bounds.workers > 1:
        from _signal import SIG_UNBLOCK, pthread_sigmask

        pthread_sigmask(SIG_UNBLOCK, (SIGTERM, SIGINT))  # which `server_workers` has blocked
    server.run()
    drained.acquire()
    return statuses[0]

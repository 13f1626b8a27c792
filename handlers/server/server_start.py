"""Run the server until SIGTERM: one process, or several that share a model which was loaded before the fork."""

import sys
from _signal import SIGINT, SIGTERM, signal  # type: ignore[import-not-found]
from _thread import allocate_lock, start_new_thread

from server_loop import Server
from server_sockets import listen

from flyweight import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Socket
    from collections.abc import Callable
    from types import FrameType

    from server_grpc import Calls
    from server_loop import Answer

    from flyweight.serving.service import Service
    from flyweight.settings import Serving

FORK_FIRST = "--fork-first"  # `server_workers` gives it where loading a model starts threads, which a fork would lose


def run(answer: "Answer", service: "Service") -> None:
    """Answer requests until SIGTERM or Ctrl-C, and exit: with 0 if all requests that had begun were finished.

    :raises InvalidSetting: a setting of the server has a value with no meaning.
    :raises OSError: the port is in use.
    """
    bounds = settings.serving()
    if bounds.workers > 1:
        from server_workers import start_over  # imported late: most containers have one process

        start_over()
    sys.exit(answer_on(listen(bounds.host, bounds.port), answer, service, bounds))


def answer_on(
    listener: "Socket", answer: "Answer", service: "Service", bounds: "Serving", on_stop: "Callable[[], None]" = lambda: None
) -> int:
    """Answer requests of a listening socket until SIGTERM or Ctrl-C, by one process or several.

    :param on_stop: called once, when the signal has come.
    :returns: the exit status: 0 if all requests that had begun were finished.
    """
    held = None
    if bounds.grpc_port is not None:
        from server_grpc import reserved  # imported late: most deployments answer HTTP only

        held = reserved(service, bounds)
    if bounds.metrics:
        from server_metrics import measured  # imported late: few deployments are scraped

        answer = measured(answer, service, bounds.workers)
    if bounds.workers == 1:
        return serve(listener, answer, service, bounds, on_stop)
    from server_workers import run_workers

    status = run_workers(bounds.workers, lambda: serve(listener, answer, service, bounds), on_stop)
    if held is not None:
        held.close()
    return status


def serve(
    listener: "Socket", answer: "Answer", service: "Service", bounds: "Serving", on_stop: "Callable[[], None]" = lambda: None
) -> int:
    """Answer requests in this process until SIGTERM or Ctrl-C; a second Ctrl-C ends it at once.

    :param on_stop: called once, when the signal has come.
    :returns: the exit status: 0 if all requests that had begun were finished.
    """
    server = Server(listener, answer, bounds, service.settings.limits.max_body_bytes)
    calls = _calls(service, bounds)
    statuses: list[int] = []
    drained = allocate_lock()
    drained.acquire()

    def drain() -> None:
        on_stop()
        if calls is not None:
            calls.stop(bounds.grace_seconds)
        statuses.append(0 if server.drain() and (calls is None or calls.drain()) else 1)
        drained.release()

    def stop(number: int, frame: "FrameType | None") -> None:
        if not service.stopping:
            service.stopping = server.stopping = True
            start_new_thread(drain, ())  # meanwhile callers see that the process is not ready
        elif number == SIGINT:
            statuses.append(1)
            server.close()
            if calls is not None:
                calls.stop(0.0)

    for number in (SIGTERM, SIGINT):
        signal(number, stop)
    if bounds.workers > 1:
        from _signal import SIG_UNBLOCK, pthread_sigmask

        pthread_sigmask(SIG_UNBLOCK, (SIGTERM, SIGINT))  # which `server_workers` has blocked
    server.run()
    drained.acquire()
    return statuses[0]


def _calls(service: "Service", bounds: "Serving") -> "Calls | None":
    """Answer gRPC from now on, if it has a port."""
    if bounds.grpc_port is None:
        return None
    from server_grpc import Calls

    return Calls(service, bounds)

"""Run several processes that answer on one listening socket and share the pages of a model that was loaded before the fork."""

import gc
import os
import sys
import time
from _signal import SIG_BLOCK, SIG_UNBLOCK, SIGINT, SIGTERM, pthread_sigmask, signal  # type: ignore[import-not-found]

from server_start import FORK_FIRST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SHORTEST_LIFE = 1.0  # seconds; a process that ends sooner is replaced when they have passed


def start_over() -> None:
    """Start this program over with FORK_FIRST if loading the model has started threads.

    A fork copies no threads, and locks that they hold stay locked.
    """
    if FORK_FIRST not in sys.argv and _threads() > 1:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], FORK_FIRST])


def run_workers(count: int, serve: "Callable[[], int]", on_stop: "Callable[[], None]") -> int:
    """Fork the processes, replace those that die, pass SIGTERM on, and wait for all of them.

    :param serve: answers requests until SIGTERM, and returns the exit status.
    :param on_stop: called once, when the signal has come.
    :returns: the exit status: 0 if that of each process is.
    """
    gc.collect()
    gc.freeze()  # so that the collector does not write to pages that all processes share
    children: dict[int, float] = {}
    stopping: list[int] = []

    def stop(number: int, frame: "FrameType | None") -> None:
        if not stopping:
            on_stop()
        stopping.append(number)
        for child in [*children]:
            try:
                os.kill(child, SIGTERM)
            except ProcessLookupError:
                pass

    for number in (SIGTERM, SIGINT):
        signal(number, stop)
    for _ in range(count):
        _fork(serve, children, stopping)
    status = 0
    while children:
        child, ended = os.wait()
        born = children.pop(child, 0.0)
        if stopping:
            status = 1 if ended else status
            continue
        time.sleep(max(0.0, born + SHORTEST_LIFE - time.monotonic()))
        _fork(serve, children, stopping)
    return status


def _fork(serve: "Callable[[], int]", children: "dict[int, float]", stopping: "list[int]") -> None:
    """Start a process that serves, and note when, unless a signal has come.

    Signals wait meanwhile, so that they reach a child that knows what to do with them, and a parent that knows the child.
    """
    pthread_sigmask(SIG_BLOCK, (SIGTERM, SIGINT))
    child = -1 if stopping else os.fork()
    if child == 0:
        status = 1
        try:
            status = serve()
        finally:
            sys.stdout.flush()
            os._exit(status)
    if child > 0:
        children[child] = time.monotonic()
    pthread_sigmask(SIG_UNBLOCK, (SIGTERM, SIGINT))


def _threads() -> int:
    """Count this process's threads, those of libraries in C included."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1

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


def run_workers(count: int, serve: "Callable[[], int]") -> int:
    """Fork the processes, replace those that die, pass SIGTERM on, and wait for all of them.

    :param serve: answers requests until SIGTERM, and returns the exit status.
    :returns: the exit status: 0 if that of each process is.
    """
    if FORK_FIRST not in sys.argv and _threads() > 1:  # a fork copies no threads, and locks that they hold stay locked
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], FORK_FIRST])
    gc.collect()
    gc.freeze()  # so that the collector does not write to pages that all processes share
    children: dict[int, float] = {}
    stopping: list[int] = []

    def stop(number: int, frame: "FrameType | None") -> None:
        stopping.append(number)
        for child in [*children]:
            try:
                os.kill(child, SIGTERM)
            except ProcessLookupError:
                pass

    for number in (SIGTERM, SIGINT):
        signal(number, stop)
    for _ in range(count):
        _fork(serve, children)
    status = 0
    while children:
        child, ended = os.wait()
        born = children.pop(child, 0.0)
        if stopping:
            status = 1 if ended else status
            continue
        time.sleep(max(0.0, born + SHORTEST_LIFE - time.monotonic()))
        if not stopping:
            _fork(serve, children)
    return status


def _fork(serve: "Callable[[], int]", children: "dict[int, float]") -> None:
    """Start a process that serves, and note when.

    SIGTERM waits meanwhile, so that it reaches a child that knows what to do with it, and a parent that knows the child.
    """
    pthread_sigmask(SIG_BLOCK, (SIGTERM, SIGINT))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = serve()
        finally:
            sys.stdout.flush()
            os._exit(status)
    children[child] = time.monotonic()
    pthread_sigmask(SIG_UNBLOCK, (SIGTERM, SIGINT))


def _threads() -> int:
    """Count this process's threads, those of libraries in C included."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1

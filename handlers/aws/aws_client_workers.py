"""Answer several events at once on Lambda Managed Instances: load the function once, then fork processes that answer one each.

AWS's own client forks first, so that each process loads its own model. Here all of them share the pages of one.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from aws_client_api import RuntimeApi
    from aws_client_output import LogSink

PROVIDER = "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"
FORK_FIRST = "_FLYWEIGHT_FORK_FIRST"  # set for a second start, if the function started threads while it was loaded


def run(count: int, load: "Callable[[], Any]", serve: "Callable[[RuntimeApi, Any], None]", sink: "LogSink") -> None:
    """Load the function, fork the processes, and wait until the last of them has ended.

    Threads do not survive a fork, and locks that they held stay locked. If loading started any, the client starts anew, and then
    forks before it loads.

    :param load: loads the function's handler.
    :param serve: answers events until the process ends.
    """
    _tell(count)
    if FORK_FIRST in os.environ:
        handler = None
    else:
        handler = load()
        if _threads() > 1:
            _start_anew(sink)
        gc.collect()
        gc.freeze()  # so that the collector does not write to pages that all processes share
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            return _work(load() if handler is None else handler, serve, sink)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _work(handler: "Any", serve: "Callable[[RuntimeApi, Any], None]", sink: "LogSink") -> None:
    from aws_client_api import RuntimeApi

    if place := os.environ.get(PROVIDER):
        for stream in (sys.stdout, sys.stderr):
            _redirect(stream.fileno(), place)
    sink.descriptor = None
    serve(RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"]), handler)


def _redirect(descriptor: int, place: str) -> None:
    """Connect a stream of this process to the platform's socket for output."""
    from _socket import AF_UNIX, SOCK_STREAM, socket

    connection = socket(AF_UNIX, SOCK_STREAM)
    connection.connect(place)
    os.dup2(connection.fileno(), descriptor)
    connection.close()


def _threads() -> int:
    """Count this process's threads, those of libraries in C included."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _start_anew(sink: "LogSink") -> None:
    from aws_client_output import DESCRIPTOR

    os.environ[FORK_FIRST] = "1"
    if sink.descriptor is not None:
        os.environ[DESCRIPTOR] = str(sink.descriptor)
        os.set_inheritable(sink.descriptor, True)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _tell(count: int) -> None:
    """Log the number of processes, at the level DEBUG."""
    if os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper() in ("DEBUG", "TRACE") and FORK_FIRST not in os.environ:
        import logging

        event = "runtime_worker_pool_initializing"
        logging.getLogger().debug({"event": event, "workerCount": count, "executionEnvironmentMaxConcurrency": count})

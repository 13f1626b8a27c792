"""Call a handler in a loop with its provider's native event and read its native answer; run as a file, never imported.

Without runtime and transport, only the handler's own work is measured, from JSON text to JSON text.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

Calls = Iterator[Callable[[], Any]]

WARM_UP = 20
SECONDS = 1.0  # at most, even if more calls are requested


def aws(event: Any) -> Calls:
    """Call with the event as Lambda's runtime client parses it."""
    from app import lambda_handler

    context = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
    while True:
        yield lambda: lambda_handler(event, context)


def gcp(event: Any) -> Calls:
    """Call with a Flask request whose body is not read yet; the answer is complete when Flask has made its response."""
    import flask
    import main

    server = flask.Flask("local")
    parts = {"method": event["method"], "headers": event["headers"], "data": event["body"].encode()}
    while True:
        with server.test_request_context(event["path"], **parts) as context:
            yield lambda: server.make_response(main.predict(context.request))


def azure(event: Any) -> Calls:
    """Call the function that the SDK's decorators registered, with a request of the SDK."""
    import azure.functions as func
    import function_app

    function = function_app.app.get_functions()[0].get_user_function()
    extra = [SimpleNamespace(invocation_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")] * (function.__code__.co_argcount - 1)
    headers = {name.lower(): value for name, value in event["headers"].items()}
    while True:
        parts = {"method": event["method"], "url": event["url"], "headers": headers, "body": event["body"].encode()}
        request = func.HttpRequest(**parts)
        yield partial(function, request, *extra)


def durations(calls: Calls, count: int) -> list[float]:
    """Measure the seconds of each call, without the first few."""
    for _ in range(WARM_UP):
        next(calls)()
    taken: list[float] = []
    end = perf_counter() + SECONDS
    while len(taken) < count and perf_counter() < end:
        call = next(calls)
        began = perf_counter()
        call()
        taken.append(perf_counter() - began)
    return taken


if __name__ == "__main__":
    provider, folder, event_path, out, count = sys.argv[1:]
    sys.path.insert(0, folder)
    loops = {"aws": aws, "gcp": gcp, "azure": azure}
    taken = durations(loops[provider](json.loads(Path(event_path).read_text())), int(count))
    Path(out).write_text(json.dumps(taken))

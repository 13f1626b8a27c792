"""The process that hosts an Azure function: requests come in by one pipe, answers go out by another.

A request and an answer are each a line of JSON, then `length` bytes of body. It imports nothing that Azure's worker does not,
so that its cold start is the worker's; it is run as a file, never imported.
"""

import json
import logging
import sys
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Invoke = Callable[[dict[str, Any], bytes], tuple[int, dict[str, str], bytes]]


class _Protos:
    """Stands for the worker's generated protobuf module: plain values in place of messages."""

    class StatusResult(SimpleNamespace):
        Failure, Success = 0, 1

    class BindingInfo(SimpleNamespace):
        out, inout = 1, 2
        undefined = 0

    def __getattr__(self, name: str) -> type[SimpleNamespace]:
        return SimpleNamespace


def through_the_worker(folder: str) -> "Invoke":
    """Index the app and invoke it with the worker's own library."""
    import asyncio

    import azure_functions_runtime as worker
    from azure_functions_runtime import native_invocation
    from azure_functions_runtime.bindings.datumdef import Datum

    loop = asyncio.new_event_loop()
    worker.start_threadpool_executor()
    start = SimpleNamespace(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=folder))
    context = SimpleNamespace(request=start, properties={"host": "127.0.0.1", "protos": _Protos()})
    began = loop.run_until_complete(worker.worker_init_request(context))
    if began.result.status != _Protos.StatusResult.Success:
        raise RuntimeError(f"indexing failed: {getattr(began.result.exception, 'message', began.result.exception)}")
    listed = loop.run_until_complete(worker.functions_metadata_request(context)).function_metadata_results or []
    identity, name = _http_function((f.function_id, f.raw_bindings) for f in listed)
    others = {f.name: (f.function_id, json.loads(f.raw_bindings[0])["name"]) for f in listed}

    def texts(values: "dict[str, str]") -> "dict[str, Any]":
        return {key: Datum(value, "string") for key, value in values.items()}

    def invoke(request: "dict[str, Any]", body: bytes) -> "tuple[int, dict[str, str], bytes]":
        if "function" in request:  # another trigger than HTTP; its input is JSON
            function, argument = others[request["function"]]
            ok, _, _, error, trace = native_invocation.run_invocation_sync(
                request["id"], function, [(argument, Datum(body.decode(), "json"))], {}
            )[1:]
            return (200, {}, b"") if ok else (500, {}, f"{error}\n{trace}".encode())
        http = {key: texts(request[key]) for key in ("headers", "params", "query")}
        http |= {**texts({key: request[key] for key in ("method", "url")}), "body": Datum(body, "bytes")}
        call: tuple[Any, ...] = (request["id"], identity, [(name, Datum(http, "http"))], {})
        is_sync, ok, answer, _, error, trace = native_invocation.run_invocation_sync(*call)
        if not is_sync:
            native = native_invocation.invocation_request_native(*call)
            ok, answer, _, error, trace = loop.run_until_complete(native)
        if not ok:
            raise RuntimeError(f"{error}\n{trace}")
        if answer.type != "http":
            return 200, {"content-type": "text/plain; charset=utf-8"}, str(answer.value).encode()
        headers = {key: value.value for key, value in answer.value["headers"].items()}
        return int(answer.value["status_code"].value), headers, answer.value["body"].value

    return invoke


def through_the_sdk(folder: str) -> "Invoke":
    """Call the function object that the SDK's decorators made."""
    import azure.functions as func
    import function_app  # type: ignore[import-not-found,unused-ignore]

    app = next(value for value in vars(function_app).values() if isinstance(value, func.FunctionRegister))
    functions = app.get_functions()
    index, name = _http_function((number, f.get_raw_bindings()) for number, f in enumerate(functions))
    function = functions[index].get_user_function()
    others = {f.get_function_name(): f.get_user_function() for f in functions}

    def invoke(request: "dict[str, Any]", body: bytes) -> "tuple[int, dict[str, str], bytes]":
        if "function" in request:
            others[request["function"]](json.loads(body))
            return 200, {}, b""
        fields = {key: request[key] for key in ("method", "url", "headers")}
        native = func.HttpRequest(**fields, params=request["query"], route_params=request["params"], body=body)
        wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
        extra = {"context": SimpleNamespace(invocation_id=request["id"])} if "context" in wanted else {}
        answer = function(**{name: native}, **extra)
        if function.__code__.co_flags & 0x80:  # a coroutine function
            import asyncio

            answer = asyncio.run(answer)
        if isinstance(answer, str):
            return 200, {"content-type": "text/plain; charset=utf-8"}, answer.encode()
        headers = {"content-type": f"{answer.mimetype}; charset={answer.charset}"}
        headers |= {key.lower(): value for key, value in answer.headers.items()}
        return answer.status_code, headers, answer.get_body()

    return invoke


def _http_function(functions: "Any") -> "tuple[Any, str]":
    """The first function with an HTTP trigger, and the name of its request argument."""
    for identity, bindings in functions:
        for binding in map(json.loads, bindings):
            if binding["type"] == "httpTrigger":
                return identity, binding["name"]
    raise RuntimeError("function_app.py has no function with an HTTP trigger")


def main(folder: str, reads: int, writes: int) -> None:
    """Answer requests until the pipe is closed."""
    sys.path.insert(0, folder)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    requests, answers = open(reads, "rb"), open(writes, "wb")
    invoke: Invoke | None = None
    while line := requests.readline():
        request = json.loads(line)
        body = requests.read(request["length"])
        content = b""
        try:
            if invoke is None:
                invoke = _start(folder)
            status, headers, content = invoke(request, body)
            reply: dict[str, Any] = {"status": status, "headers": headers, "length": len(content)}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(reply).encode() + b"\n" + content)
        answers.flush()


def _start(folder: str) -> "Invoke":
    try:
        import azure_functions_runtime  # noqa: F401
    except ImportError:
        return through_the_sdk(folder)
    return through_the_worker(folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

"""The process that hosts an Azure function: requests come in by one pipe, answers go out by another.

A request and an answer are each a line of JSON, then `length` bytes of body. It imports nothing that Azure's worker does not,
so that its cold start is the worker's; it is run as a file, never imported.

Of another trigger than HTTP a request holds what the host sends, `inputData` and `triggerMetadata` of an InvocationRequest
(https://github.com/Azure/azure-functions-language-worker-protobuf) as JSON; the answer's body is what the host gets back.
"""

import json
import logging
import sys
from base64 import b64decode
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
    others = {f.name: (f.function_id, _trigger(f.raw_bindings)[0]) for f in listed}

    def invoke(request: "dict[str, Any]", body: bytes) -> "tuple[int, dict[str, str], bytes]":
        call: tuple[Any, ...]
        if "function" in request:  # another trigger than HTTP
            function, argument = others[request["function"]]
            inputs, metadata = _sent(Datum, request)
            call = (request["id"], function, [*inputs.items()] or [(argument, Datum(body.decode(), "json"))], metadata)
            ok, _, outputs, error, trace = native_invocation.run_invocation_sync(*call)[1:]
            return _outcome({key: datum.value for key, datum in outputs}, "" if ok else f"{error}\n{trace}")
        call = (request["id"], identity, [(name, _http(Datum, request, body))], {})
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
    others = {f.get_function_name(): f for f in functions}

    def invoke(request: "dict[str, Any]", body: bytes) -> "tuple[int, dict[str, str], bytes]":
        if "function" in request:
            return _called(others[request["function"]], request, body)
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


def _called(function: "Any", request: "dict[str, Any]", body: bytes) -> "tuple[int, dict[str, str], bytes]":
    """Call a function object with what the SDK's own converters make of its input; its outputs are what it sets."""
    from azure.functions import meta

    class Out:
        value: "Any" = None

        def set(self, value: "Any") -> None:
            self.value = value

    converters: Any = meta.get_binding_registry()  # type: ignore[no-untyped-call,unused-ignore]
    argument, kind = _trigger(function.get_raw_bindings())
    data, metadata = _sent(meta.Datum, request)
    call = function.get_user_function()
    bindings = [json.loads(binding) for binding in function.get_raw_bindings()]
    outputs = {binding["name"]: Out() for binding in bindings if binding["direction"] == "OUT"}
    given: dict[str, Any] = {**outputs}
    if data:
        given[argument] = converters.get(kind).decode(data[argument], trigger_metadata=metadata)
        given["context"] = SimpleNamespace(invocation_id=request["id"])
    else:
        given[argument] = json.loads(body)
    try:
        call(**given)
    except Exception as error:
        return _outcome({}, f"{error!r}\n")
    return _outcome({name: out.value for name, out in outputs.items() if out.value is not None}, "")


def _http(kind: "Any", request: "dict[str, Any]", body: bytes) -> "Any":
    """A request as the worker's datum."""

    def texts(values: "dict[str, str]") -> "dict[str, Any]":
        return {key: kind(value, "string") for key, value in values.items()}

    http = {key: texts(request[key]) for key in ("headers", "params", "query")}
    return kind({**http, **texts({key: request[key] for key in ("method", "url")}), "body": kind(body, "bytes")}, "http")


def _sent(kind: "Any", request: "dict[str, Any]") -> "tuple[dict[str, Any], dict[str, Any]]":
    """What the host sends: the input by its name, and what is known of it."""
    inputs = {entry["name"]: _datum(kind, entry["data"]) for entry in request["inputData"]}
    return inputs, {key: _datum(kind, value) for key, value in request["triggerMetadata"].items()}


def _datum(kind: "Any", typed: "dict[str, Any]") -> "Any":
    """A TypedData, as protobuf writes it in JSON, as the worker's datum."""
    ((name, value),) = typed.items()
    if name == "bytes":
        return kind(b64decode(value), name)
    if name == "collectionBytes":
        return kind(SimpleNamespace(bytes=[b64decode(item) for item in value["bytes"]]), "collection_bytes")
    if name == "collectionString":
        return kind(SimpleNamespace(string=value["string"]), "collection_string")
    if name == "collectionSint64":
        return kind(SimpleNamespace(sint64=[int(item) for item in value["sint64"]]), "collection_sint64")
    return kind(int(value) if name == "int" else value, name)


def _outcome(outputs: "dict[str, Any]", error: str) -> "tuple[int, dict[str, str], bytes]":
    """What the host learns of an invocation: whether it succeeded, and what to write to its outputs, a document a message."""
    told = {"outputs": {name: _read(value) for name, value in outputs.items()}, **({"error": error} if error else {})}
    return 500 if error else 200, {}, json.dumps(told).encode()


def _read(value: "Any") -> "Any":
    """A text that is JSON as what it says, and each text in it."""
    try:
        document = json.loads(value)
    except (TypeError, ValueError):
        return str(value)
    return [_read(item) if isinstance(item, str) else item for item in document] if isinstance(document, list) else document


def _trigger(bindings: "Any") -> "tuple[str, str]":
    """The name and the type of a function's trigger."""
    triggers = [binding for binding in map(json.loads, bindings) if binding["type"].endswith("Trigger")]
    return triggers[0]["name"], triggers[0]["type"]


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

"""Model Context Protocol: each model is a tool, at `POST /mcp`, without sessions and streams.

https://modelcontextprotocol.io/specification: one JSON-RPC 2.0 message a request, and one JSON document as the answer. The tool
`predict` is the default model, and `predict_NAME` is one of FLYWEIGHT_MODELS. Its arguments are one instance, by feature name; a
feature that may be missing may be left out. The result says what is wrong with arguments, so that the caller can correct them.
"""

from flyweight import __version__
from flyweight.errors import FlyweightError, MalformedRequest, MethodNotAllowed, error_fields, preview, status_of
from flyweight.protocols import Answer, _documents, _mcp_messages, _sql, _tools, methods
from flyweight.protocols._mcp_messages import ALONE, VERSIONS, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation, Query
    from flyweight.values import Prediction, Request

    Method = Callable[[Context, Request, dict[str, Any]], dict[str, Any]]

PATHS = ["POST /mcp"]
EXPECTED = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
ACCEPTED = 202
FRESH = {"ttlMs": 0, "cacheScope": "private"}
SERVER_INFO = "io.modelcontextprotocol/serverInfo"
SERVER = {"name": "flyweight", "version": __version__}


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of `/mcp`.

    :raises MethodNotAllowed: another method; GET would open a stream, and DELETE would end a session.
    """
    if path != "/mcp":
        return None
    if method != "POST":
        raise MethodNotAllowed(f"/mcp takes POST, got {method[:20]!r}: there are no streams and no sessions", methods("POST"))
    return message, ""


def message(context: "Context", request: "Request", name: str) -> Answer:
    """Answer one message.

    :raises Forbidden: a page of a browser sends it that FLYWEIGHT_CORS_ORIGINS does not name.
    :raises FlyweightError: the body is not JSON, or too large.
    """
    _mcp_messages.check_origin(request.headers.get("origin", ""), context)
    document = _sql.document_of(request, context.settings.limits, EXPECTED)
    number = document.get("id")
    called = document.get("method")
    try:
        if document.get("jsonrpc") != "2.0" or not isinstance(called, str) or isinstance(number, (bool, list, dict, float)):
            raise Refused(_mcp_messages.INVALID_REQUEST, f"expected one message as {EXPECTED}, with a number or a text as its id")
        parameters = _documents.members(document.get("params") or {}, "params")
        alone = _mcp_messages.stands_alone(request, called, parameters)
        if "id" not in document:
            return Answer(b"", "", ACCEPTED)
        answer = METHODS.get(called)
        if answer is None:
            raise Refused(
                _mcp_messages.METHOD_NOT_FOUND, f"no method is called {called[:100]!r}; the methods are {', '.join(METHODS)}"
            )
        result = answer(context, request, parameters)
    except FlyweightError as failure:
        context.log_fields.update(error_fields(failure))
        return _refusal(failure, number)
    result = {"resultType": "complete", **result} if alone else {key: result[key] for key in result if key not in FRESH}
    return _documents.answer({"jsonrpc": "2.0", "id": number, "result": result})


def parse(request: "Request", predictor: "Predictor") -> "Query":
    """Read the arguments of a call.

    :raises FlyweightError: the body is no call.
    """
    document = _sql.document_of(request, predictor.validator.limits, EXPECTED)
    parameters = _documents.members(document.get("params"), "params")
    return _tools.query_of(parameters, predictor)


def render(prediction: "Prediction", query: "Query", predictor: "Predictor") -> Answer:
    """Write the result of a call: the same document as data, and as a text for callers that take texts only."""
    return _documents.answer(_tools.result_of(prediction, predictor))


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    if len(instances) != 1:
        raise MalformedRequest(f"a call of a tool has one instance, got {len(instances)}")
    called = {"name": _tools.PREDICT, "arguments": instances[0]}
    return "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}


def error(error: Exception, request_id: str) -> Answer:
    """Write an error of JSON-RPC for a message whose id is not known."""
    number = _mcp_messages.INTERNAL_ERROR if status_of(error) >= FlyweightError.status else _mcp_messages.INVALID_REQUEST
    number = _mcp_messages.PARSE_ERROR if isinstance(error, MalformedRequest) else number
    told = {"code": number, "message": _documents.message(error, request_id)}
    return _documents.answer({"jsonrpc": "2.0", "id": None, "error": told}, status_of(error))


def _refusal(failure: FlyweightError, number: "Any") -> Answer:
    """Write an error of JSON-RPC for a message."""
    code = failure.number if isinstance(failure, Refused) else _mcp_messages.INVALID_PARAMS
    if failure.status >= FlyweightError.status:
        code = _mcp_messages.INTERNAL_ERROR
    told: dict[str, Any] = {"code": code, "message": str(failure)}
    if isinstance(failure, Refused) and failure.data is not None:
        told["data"] = failure.data
    return _documents.answer({"jsonrpc": "2.0", "id": number, "error": told}, failure.status)


def initialize(context: "Context", request: "Request", parameters: "dict[str, Any]") -> "dict[str, Any]":
    """Agree on a version: the caller's if it is known, else the newest."""
    asked = parameters.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[-1],
        "capabilities": {"tools": {}},
        "serverInfo": SERVER,
    }


def discover(context: "Context", request: "Request", parameters: "dict[str, Any]") -> "dict[str, Any]":
    """Tell the versions and what there is."""
    return {
        "supportedVersions": [*VERSIONS, *ALONE],
        "capabilities": {"tools": {}},
        "_meta": {SERVER_INFO: SERVER},
        **FRESH,
    }


def ping(context: "Context", request: "Request", parameters: "dict[str, Any]") -> "dict[str, Any]":
    """Answer nothing, quickly."""
    return {}


def list_tools(context: "Context", request: "Request", parameters: "dict[str, Any]") -> "dict[str, Any]":
    """Describe the tools; a model that can't be loaded has none, unless it is the default one.

    :raises FlyweightError: the default model can't be loaded.
    """
    described = []
    for tool in _tools.tools_of(context):
        try:
            described.append(_tools.described(tool.name, context.predictor(tool.key)))
        except FlyweightError:
            if not tool.key:
                raise
    return {"tools": described, **FRESH}


def call_tool(context: "Context", request: "Request", parameters: "dict[str, Any]") -> "dict[str, Any]":
    """Predict one instance.

    :raises Refused: no tool has that name, or the arguments are no object.
    """
    called = parameters.get("name")
    tool = next((tool for tool in _tools.tools_of(context) if tool.name == called), None)
    if tool is None:
        known = ", ".join([tool.name for tool in _tools.tools_of(context)])
        raise Refused(_mcp_messages.INVALID_PARAMS, f"no tool is called {preview(called)}; the tools are {known}")
    context.log_fields["operation"] = _tools.PREDICT  # a canary answers its share
    try:
        predictor = context.predictor(tool.key)
        query = _tools.query_of(parameters, predictor)
        rows = predictor.validator.rows(query.instances)
        context.log_fields["instances"] = len(rows)
        prediction = predictor.answer(rows, query.outputs)
    except FlyweightError as failure:
        context.log_fields.update(error_fields(failure))
        return {"content": [{"type": "text", "text": str(failure)}], "isError": True}
    if not tool.key:
        context.compare(request, predictor, prediction, rows)
    return _tools.result_of(prediction, predictor)


METHODS: "dict[str, Method]" = {
    "initialize": initialize,
    "ping": ping,
    "server/discover": discover,
    "tools/list": list_tools,
    "tools/call": call_tool,
}

"""Find protocols by name: what paths, bodies and errors mean, in one file for each protocol.

A protocol module has these members; `native.py` is an example.

    PATHS                   its methods and paths, for messages
    route(method, path) -> (operation, model's name), or None if the path is not the protocol's
    parse(request, predictor) -> Query
    render(prediction, query, predictor) -> Answer
    error(error, request_id) -> Answer, with the status of the error

An operation is `(context, request, name) -> Answer`. Inference is the same for all protocols: `infer` below.
"""

from flyweight.errors import NO_CONTENT, OK, InvalidSetting, MethodNotAllowed, NotFound
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from flyweight.predictor import Predictor
    from flyweight.settings import Settings
    from flyweight.values import LogFields, Prediction, Request

    class Context(Protocol):
        """The interface of a request's context, which an operation uses."""

        settings: Settings
        log_fields: LogFields  # the fields of the request's log line; an operation adds to them
        stopping: bool  # whether the process is about to end, and should get no new requests

        def predictor(self, name: str) -> Predictor:
            """Get the model of that name, "" for the default one; its name and version go into log and headers."""
            ...

        def compare(self, request: Request, predictor: Predictor, prediction: Prediction, rows: list[list[Any]]) -> None:
            """Ask the shadow model the same, if there is one, and log the differences."""
            ...

    Operation = Callable[[Context, Request, str], "Answer"]


NOTHING: "Mapping[str, Any]" = {}


class Query(Value):
    """A request for inference: instances that are not validated yet, outputs, and the form of the answer.

    `options`: further values of the request that the protocol's `render` uses.
    """

    instances: "Any"
    outputs: "list[str] | None" = None  # None: the model's usual ones
    content_type: str = "application/json"
    options: "Mapping[str, Any]" = NOTHING


class Answer(Value):
    """The body of a response, its content type and its status."""

    body: bytes
    content_type: str
    status: int = OK
    headers: "Mapping[str, str]" = NOTHING


if TYPE_CHECKING:

    class InferenceProtocol(Protocol):
        """The interface of a protocol module."""

        PATHS: list[str]  # as "POST /predict", for messages

        def route(self, method: str, path: str) -> tuple[Operation, str] | None:
            """Find the operation that a method and a path name, and the model's name, "" for the default one.

            :param method: in capitals; GET for HEAD as well.
            :param path: with single slashes, and none at the end.
            :returns: None if the path is not of this protocol.
            :raises MethodNotAllowed: the path takes other methods; so it is for OPTIONS, which is answered with their names.
            :raises NotFound: the path begins like those of the protocol, and does not exist.
            """
            ...

        def parse(self, request: Request, predictor: Predictor) -> Query:
            """Read the instances of a request, and the form in which it asks for the answer.

            :raises FlyweightError: the request is at fault.
            """
            ...

        def render(self, prediction: Prediction, query: Query, predictor: Predictor) -> Answer:
            """Write a prediction in the form that the request asks for."""
            ...

        def error(self, error: Exception, request_id: str) -> Answer:
            """Write an error in the protocol's own form."""
            ...


def find(name: str) -> "InferenceProtocol":
    """Import the protocol of that name.

    :raises InvalidSetting: no protocol has that name; the message lists those that exist.
    """
    # an identifier can't leave this package; one that begins with `_` would be a private module
    if name.isidentifier() and name.isascii() and not name.startswith("_"):
        path = f"{__name__}.{name}"
        try:
            protocol: InferenceProtocol = __import__(path, fromlist=["route"])
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
        else:
            if hasattr(protocol, "route"):
                return protocol
    raise InvalidSetting(f"FLYWEIGHT_PROTOCOLS should be names of protocols ({', '.join(names())}), got {name[:80]!r}")


def names() -> "list[str]":
    """List the protocols by name."""
    from pkgutil import iter_modules

    modules = [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]
    return sorted([name for name in modules if hasattr(__import__(f"{__name__}.{name}", fromlist=["route"]), "route")])


def route(protocols: "tuple[InferenceProtocol, ...]", method: str, path: str) -> "tuple[InferenceProtocol, Operation, str]":
    """Find the first protocol that a path belongs to, with the operation and the model's name.

    The rules for paths and methods are the same for all transports and protocols.

    :raises NotFound: no protocol has the path.
    :raises MethodNotAllowed: the path takes another method.
    """
    method = method.upper()
    if path[-1:] == "/" or path[:1] != "/" or "//" in path or "%" in path:
        from flyweight.protocols.paths import normalized  # imported late: most paths are normal

        path = normalized(path)
    for protocol in protocols:
        try:
            operation_and_name = protocol.route("GET" if method == "HEAD" else method, path)
        except MethodNotAllowed as error:
            if method != "OPTIONS":
                raise
            return protocol, _allowing(error.allow), ""
        if operation_and_name is not None:
            return protocol, *operation_and_name
    if method == "OPTIONS" and path == "/*":  # asks about the server: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.7
        return protocols[0], _allowing(methods("GET", "POST")), ""
    paths = ", ".join([known for protocol in protocols for known in protocol.PATHS])
    raise NotFound(f"nothing is at {path[:200]!r}; the paths are {paths}")


def methods(*own: str) -> str:
    """List methods for the header Allow, with those that every path has.

    :param own: the methods of the path's operations.
    """
    return ", ".join([*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"])


def _allowing(allow: str) -> "Operation":
    """Make the operation that answers OPTIONS with the methods of a path."""

    def options(context: "Context", request: "Request", name: str) -> Answer:
        return Answer(b"", "", NO_CONTENT, {"allow": allow})

    return options


def infer(
    context: "Context",
    request: "Request",
    name: str,
    parse: "Callable[[Request, Predictor], Query]",
    render: "Callable[[Prediction, Query, Predictor], Answer]",
) -> Answer:
    """Answer a request for inference: parse, validate, predict, render.

    :param name: the model's name, "" for the default one.
    :param parse: the protocol's own.
    :param render: the protocol's own.
    :raises FlyweightError: the request is at fault, or no model can answer.
    """
    predictor = context.predictor(name)
    query = parse(request, predictor)
    rows = predictor.validator.rows(query.instances)
    context.log_fields["instances"] = len(rows)
    prediction = predictor.answer(rows, query.outputs)
    if not name:
        context.compare(request, predictor, prediction, rows)
    return render(prediction, query, predictor)

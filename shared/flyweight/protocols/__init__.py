"""Find protocols by name: what paths, bodies and errors mean, in one file for each protocol.

A protocol module has these members; `native.py` is an example.

    PATHS                   its methods and paths, for messages
    route(method, path) -> (operation, model's name), or None if the path is not the protocol's
    parse(request, predictor) -> Query
    render(prediction, query, predictor) -> Answer
    error(error, request_id) -> Answer, with the status of the error

and, if it shares the path of the native protocol,

    claim(request) -> operation, or None if neither the headers nor the body are the protocol's

and, if it should be described and called by name,

    openapi(predictor) -> the parts of OpenAPI operations, by entries of PATHS
    example(signature, name, instances) -> the path and the JSON document of a request for instances, objects by feature name

An operation is `(context, request, name) -> Answer`. Inference is the same for all protocols: `infer` below.
"""

from flyweight import errors  # for rare errors, which are made when they are asked for
from flyweight.errors import NO_CONTENT, OK, FlyweightError, InvalidSetting, NotFound
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Protocol

    from flyweight.predictor import Predictor
    from flyweight.settings import Settings
    from flyweight.values import LogFields, Prediction, Request

    class Context(Protocol):
        """The interface of a request's context, which an operation uses."""

        settings: Settings
        log_fields: LogFields  # the fields of the request's log line; an operation adds to them
        stopping: bool  # whether the process is about to end, and should get no new requests
        streams: bool  # whether the rest of a large answer may be made while its beginning is sent

        def predictor(self, name: str) -> Predictor:
            """Get the model of that name, "" for the default one; its name and version go into log and headers."""
            ...

        def give(self, name: str, address: str) -> bool:
            """Give a name to the model at an address, beside FLYWEIGHT_MODELS; with "" the name and its model are gone.

            :returns: False if a model has the name already.
            """
            ...

        def holds(self, name: str) -> bool:
            """Tell whether the model of that name is in memory."""
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
    """The body of a response, its content type and its status; `blocks`: the rest of the body, as in `Response`."""

    body: bytes
    content_type: str
    status: int = OK
    headers: "Mapping[str, str]" = NOTHING
    blocks: "Iterator[bytes] | None" = None


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
    try:
        from posix import listdir  # `pkgutil` takes longer than a whole cold start
    except ImportError:
        from os import listdir
    files = sorted({file for folder in __path__ for file in listdir(folder) if file.endswith(".py") and file[0] != "_"})
    modules = [file[:-3] for file in files]
    return [name for name in modules if hasattr(__import__(f"{__name__}.{name}", fromlist=["route"]), "route")]


class Protocols:
    """The protocols of one deployment, in the order in which they are asked for a path.

    :param chosen: their names; () for native and after it all others, which are imported when a path is not native's.
    :raises InvalidSetting: a name is of no protocol.
    """

    def __init__(self, chosen: "tuple[str, ...]") -> None:
        self._found = [find(name) for name in chosen or ("native",)]
        self._complete = bool(chosen)

    @property
    def first(self) -> "InferenceProtocol":
        """The protocol that answers paths which none of them has, and events that can't be decoded."""
        return self._found[0]

    def __iter__(self) -> "Iterator[InferenceProtocol]":
        yield from self._found[:1]
        if not self._complete:
            others = [find(name) for name in names() if name != "native"]
            self._found, self._complete = [self.first, *others], True
        yield from self._found[1:]


def route(protocols: "Iterable[InferenceProtocol]", method: str, path: str) -> "tuple[InferenceProtocol, Operation, str]":
    """Find the first protocol that a path belongs to, with the operation and the model's name.

    The rules for paths and methods are the same for all transports and protocols. Where the protocol itself refuses the path or
    the method, the operation raises that error, so that it is answered in the protocol's own form.

    :raises NotFound: no protocol has the path.
    """
    method = method.upper()
    if path[-1:] == "/" or path[:1] != "/" or "//" in path or "%" in path:
        from flyweight.protocols.paths import normalized  # imported late: most paths are normal

        path = normalized(path)
    for protocol in protocols:
        try:
            operation_and_name = protocol.route("GET" if method == "HEAD" else method, path)
        except FlyweightError as error:
            allow = error.headers.get("allow", "")  # of MethodNotAllowed
            return protocol, _allowing(allow) if allow and method == "OPTIONS" else _refusing(error), ""
        if operation_and_name is not None:
            return protocol, *operation_and_name
    if method == "OPTIONS" and path == "/*":  # asks about the server: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.7
        return next(iter(protocols)), _allowing(methods("GET", "POST")), ""
    paths = ", ".join(dict.fromkeys([known for protocol in protocols for known in protocol.PATHS]))  # several have some in common
    raise NotFound(f"nothing is at {path[:200]!r}; the paths are {paths}")


def claimed(protocols: "Iterable[InferenceProtocol]", request: "Request") -> "tuple[InferenceProtocol, Operation] | None":
    """Find the protocol whose body or headers a request has, although it came to the path of another protocol.

    It is asked after the other protocol has refused the body, so that usual requests import nothing for it.
    """
    for protocol in protocols:
        claim = getattr(protocol, "claim", None)
        operation = None if claim is None else claim(request)
        if operation is not None:
            return protocol, operation
    return None


def operation_for(operations: "Mapping[str, Operation]", method: str, path: str) -> "Operation":
    """Choose the operation of a path by the method.

    :param operations: those of the path, by method.
    :param path: for the message.
    :raises MethodNotAllowed: the path takes other methods.
    """
    if method not in operations:
        raise errors.MethodNotAllowed(f"{path[:200]} takes {' or '.join(operations)}, got {method[:20]!r}", methods(*operations))
    return operations[method]


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


def _refusing(error: FlyweightError) -> "Operation":
    """Make the operation that raises the error of a protocol's own route."""

    def refused(context: "Context", request: "Request", name: str) -> Answer:
        raise error.with_traceback(None)

    return refused


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

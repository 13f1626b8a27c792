"""flyweight's own protocol: `/predict`, `/health`, `/ready`, `/model`, `/openapi.json`, `/models` and each model below it."""

from flyweight import errors, formats, protocols, strict_json
from flyweight.errors import ModelUnavailable, problem, status_of
from flyweight.protocols import Answer, Query, infer, operation_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation that a method and a path name, and the model's name, "" for the default one.

    :returns: None if the path is not of this protocol.
    :raises MethodNotAllowed: the path takes another method.
    """
    own_path = path
    model = ""
    if own_path.startswith(MODELS):
        model, _, rest = own_path[len(MODELS) :].partition("/")
        own_path = f"/{rest}" if rest else "/model"
    operations = ROUTES.get(own_path)
    if operations is None or (model and own_path in OF_THE_PROCESS):
        return None
    return operation_for(operations, method, path), model


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the instances of a request by its content type, and choose the answer's by its Accept header.

    :raises NotAcceptable: no supported content type is accepted.
    :raises UnsupportedMediaType: the body is a form, or as `formats.parse`.
    :raises MalformedRequest, TooLarge, InvalidInput: as `formats.parse`.
    """
    answer_type = formats.negotiate(request.headers.get("accept", ""))
    content_type = request.headers.get("content-type", "")
    if content_type[:33].lower() == FORM:
        content_type = _type_of_form(request.body)
    instances, outputs = formats.parse(request.body, content_type, predictor.validator)
    return Query(instances, outputs, answer_type)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write a prediction in the content type that was chosen for the answer."""
    model = {"name": predictor.name, "version": predictor.version}
    return Answer(formats.write(prediction, query.content_type, model), query.content_type)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error as a problem document (RFC 9457)."""
    return Answer(strict_json.encode(problem(error, request_id)), "application/problem+json", status_of(error))


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the instances of a request."""
    if context.streams:
        from flyweight.protocols import blocks  # imported late: few transports carry streams

        return blocks.infer(context, request, name, parse, render)
    return infer(context, request, name, parse, render)


def health(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the process is alive."""
    return _json({"status": "ok"})


def ready(context: "Context", request: "Request", name: str) -> Answer:
    """Report that a model is loaded and answers its own sample as recorded.

    :raises ModelUnavailable: the model does not answer its sample as recorded, or the process is about to end.
    """
    if context.stopping:
        raise ModelUnavailable("this process finishes its requests and ends; send new requests to another")
    if not context.predictor(name).passes_self_test():
        raise ModelUnavailable("the model does not answer its own sample as recorded")
    return _json({"status": "ready"})


def model(context: "Context", request: "Request", name: str) -> Answer:
    """Describe the model: its signature, engines, parity and provenance."""
    return _json(context.predictor(name).metadata())


def openapi(context: "Context", request: "Request", name: str) -> Answer:
    """Describe the API (OpenAPI 3.1)."""
    from flyweight.protocols.openapi import describe  # imported late: no prediction needs it
    from flyweight.protocols.paths import normalized

    # a path, never a host of the caller's choice, which a cache would pass on to others
    base = normalized(request.headers.get("x-forwarded-prefix", "").partition(",")[0] or context.settings.base_path)
    # below a model's own path there is this protocol alone
    on = () if name else protocols.Protocols(context.settings.protocols)
    return _json({**describe(context.predictor(name), on), **({} if base == "/" else {"servers": [{"url": base}]})})


def models(context: "Context", request: "Request", name: str) -> Answer:
    """List the names of the models below `/models/`."""
    return _json({"models": [*context.settings.models]})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/predict", {"instances": instances}


def _type_of_form(body: bytes) -> str:
    """Take JSON for what it is: `curl -d '{...}'` calls each body a form unless its user names a type.

    :raises UnsupportedMediaType: the body is not JSON.
    """
    if body.lstrip()[:1] in (b"{", b"[", b""):
        return JSON
    raise errors.UnsupportedMediaType(f"{FORM} is not supported; send content-type: {JSON}, or text/csv for CSV")


def _json(document: "dict[str, object]") -> Answer:
    return Answer(strict_json.encode(document), JSON)


MODELS = "/models/"
OF_THE_PROCESS = ("/health", "/models")  # paths that do not exist below a model's name
ROUTES: "dict[str, dict[str, Operation]]" = {
    "/predict": {"POST": predict},
    "/": {"GET": health, "POST": predict},  # GET: where load balancers ask by default
    "/health": {"GET": health},
    "/ready": {"GET": ready},
    "/model": {"GET": model},
    "/openapi.json": {"GET": openapi},
    "/models": {"GET": models},
}
PATHS = [f"{method} {path}" for path, operations in ROUTES.items() for method in operations]

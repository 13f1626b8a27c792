"""What a caller may ask: from a method and a path to the operation, which answers with a body and its media type."""

from flyweight.errors import MethodNotAllowed, ModelUnavailable, NotFound, UnsupportedMediaType
from flyweight.formats import json as outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.serving.service import Service
    from flyweight.values import Request

    Notes = dict[str, Any]  # what the log line will say
    Operation = Callable[[Service, Request, Notes, str], tuple[bytes, str]]  # and a model's name; to a body and its media type

JSON = "application/json"


def route(method: str, path: str) -> "tuple[Operation, str]":
    """The operation that a method and a path name, and which model they name, "" for the usual one.

    :raises NotFound, MethodNotAllowed: there is none.
    """
    asked = path.rstrip("/") or "/"
    model = ""
    if asked.startswith(MODELS):
        model, _, rest = asked[len(MODELS) :].partition("/")
        asked = f"/{rest}" if rest else "/model"
    allowed, operation = ROUTES.get(asked, ("", None))
    if operation is None or (model and asked in WHOLE):
        listed = ", ".join(f"{m} {p}" for p, (m, _) in ROUTES.items())
        raise NotFound(f"nothing at {path[:200]!r}; there are {listed}")
    if allowed != method.upper().replace("HEAD", "GET"):
        raise MethodNotAllowed(f"{path[:200]} takes {allowed}, got {method[:20]!r}", allow=allowed)
    return operation, model


def predict(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """Instances in, predictions out."""
    predictor = service.predictor(request, notes, name)
    media = outputs.form(request.headers.get("accept", ""))
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", ""):
        raise UnsupportedMediaType(f"content encoding {encoding[:50]!r} is not spoken here; send the body as it is")
    rows, asked = predictor.reader.read(request.body, request.headers.get("content-type", ""))
    notes["instances"] = len(rows)
    prediction = predictor.answer(rows, asked)
    if service.traffic is not None and not name:
        notes.update(service.traffic.compare(request, predictor, prediction, rows))
    return outputs.encode(prediction, media, {"name": predictor.name, "version": predictor.version}), media


def health(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """The process lives."""
    return outputs.json_bytes({"status": "ok"}), JSON


def ready(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """A model is loaded, and its own sample answers as it was recorded when it was packed."""
    if not service.predictor(request, notes, name).passes_self_test():
        raise ModelUnavailable("the model's own sample does not answer as it was recorded")
    return outputs.json_bytes({"status": "ready"}), JSON


def model(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """What the model is, takes and gives."""
    return outputs.json_bytes(service.predictor(request, notes, name).metadata()), JSON


def openapi(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """The API's own description."""
    from flyweight.protocols.openapi import describe  # no prediction needs it

    return outputs.json_bytes(describe(service.predictor(request, notes, name))), JSON


def models(service: "Service", request: "Request", notes: "Notes", name: str) -> "tuple[bytes, str]":
    """The names of the models under `/models/`."""
    return outputs.json_bytes({"models": [*service.settings.models]}), JSON


MODELS = "/models/"
WHOLE = ("/health", "/models")  # of the process, not of one model
ROUTES: "dict[str, tuple[str, Operation]]" = {
    "/predict": ("POST", predict),
    "/": ("POST", predict),
    "/health": ("GET", health),
    "/ready": ("GET", ready),
    "/model": ("GET", model),
    "/openapi.json": ("GET", openapi),
    "/models": ("GET", models),
}

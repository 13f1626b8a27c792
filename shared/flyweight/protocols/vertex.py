"""The custom containers of Vertex AI: health and predictions at the paths that the platform names, or at its usual ones.

https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements. AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE name the
paths; the usual ones are `/v1/endpoints/E/deployedModels/D` and the same with `:predict`. The legacy AI Platform has paths of
TensorFlow Serving. The body is `{"instances": [...], "parameters": {...}}`, or for rawPredict each type that native takes.
"""

from flyweight import formats, protocols, settings
from flyweight.errors import MethodNotAllowed
from flyweight.protocols import Answer, Query, _documents, _invocations, methods, native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

PATHS = ["GET /v1/endpoints/E/deployedModels/D", "POST /v1/endpoints/E/deployedModels/D:predict"]
ENDPOINTS = "/v1/endpoints/"
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
CODES = {
    **{400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 413: "OUT_OF_RANGE"},
    **{406: "INVALID_ARGUMENT", 415: "INVALID_ARGUMENT", 503: "UNAVAILABLE"},
}


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path.

    :raises MethodNotAllowed: the path takes another method.
    """
    health_path, predict_path = settings.variable("AIP_HEALTH_ROUTE"), settings.variable("AIP_PREDICT_ROUTE")
    if path.startswith(ENDPOINTS):
        parts = path[len(ENDPOINTS) :].split("/")
        if len(parts) != 3 or parts[1] != "deployedModels":
            return None
        predicts = parts[2].endswith(":predict")
        # the page names the path with `:predict` for health as well
        allowed = ("GET", "POST") if predicts else ("GET",)
    elif path == predict_path:
        predicts, allowed = True, ("GET", "POST") if health_path == predict_path else ("POST",)
    elif path == health_path:
        predicts, allowed = False, ("GET",)
    else:
        return None
    if method not in allowed:
        raise MethodNotAllowed(f"{path[:200]} takes {' or '.join(allowed)}, got {method[:20]!r}", methods(*allowed))
    return (infer if predicts and method == "POST" else health), ""


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the instances and the parameter `outputs`; the body of a raw prediction is of any type that native takes.

    :raises FlyweightError: as `_invocations.parse`, or as `native.parse`.
    """
    media_type = formats.split_content_type(request.headers.get("content-type", "")[: formats.MAX_HEADER])[0]
    if media_type not in (*_documents.UNTYPED, _documents.JSON):
        return native.parse(request, predictor)
    query = _invocations.parse(request._replace(headers={**request.headers, "accept": ""}), predictor)
    return query._replace(options={"json": True})


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write `{"predictions": [...]}`."""
    return _invocations.render(prediction, query, predictor) if query.options else native.render(prediction, query, predictor)


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the instances of a request."""
    return protocols.infer(context, request, name, parse, render)


def health(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the model is loaded and answers its own sample as recorded.

    :raises ModelUnavailable: it is not, or the process is about to end.
    """
    native.ready(context, request, name)
    return _documents.answer({})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return f"{ENDPOINTS}{name}/deployedModels/{name}:predict", {"instances": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import OBJECT, operation  # imported late: no prediction needs it

    predicts = "/v1/endpoints/E/deployedModels/D:predict"
    return {f"POST {predicts}": operation(_invocations.BODY, OBJECT, "text/csv"), f"GET {predicts}": {}}


def error(error: Exception, request_id: str) -> Answer:
    """Write an error as Google's APIs do: `{"error": {"code": ..., "message": ..., "status": ...}}`."""
    status = _documents.status(error)
    text = _documents.message(error, request_id)
    return _documents.answer({"error": {"code": status, "message": text, "status": CODES.get(status, "INTERNAL")}}, status)

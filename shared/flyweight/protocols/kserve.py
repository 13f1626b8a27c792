"""KServe's protocol v1: `/v1/models` and `/v1/models/M:predict` with instances, and predictions as the answer.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol. Liveness is `GET /`: native answers it, or
this protocol where native is switched off. `tensorflow_serving` answers versions and labels below the same paths.
"""

from flyweight import protocols
from flyweight.protocols import Answer, _documents, _instances, _models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Request

MODELS, PREDICT = "/v1/models", ":predict"
PATHS = ["GET /v1/models", "GET /v1/models/M", "POST /v1/models/M:predict"]
error = _documents.error
parse, render, status = _instances.parse, _instances.render, _instances.status


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path, and the model's name.

    :raises MethodNotAllowed: the path takes another method.
    """
    operation, allowed, model = _found(path)
    if operation is None or (path == "/" and method != allowed):  # another protocol may predict there
        return None
    return protocols.operation_for({allowed: operation}, method, path), model


def _found(path: str) -> "tuple[Operation | None, str, str]":
    """Find the operation of a path, its method, and the model's name; None if the path is not of this protocol."""
    if path == "/":
        return live, "GET", ""
    if path == MODELS:
        return models, "GET", ""
    model = path[len(MODELS) + 1 :]
    if not path.startswith(f"{MODELS}/") or "/" in model:
        return None, "", ""
    if model.endswith(PREDICT):
        return infer, "POST", model.removesuffix(PREDICT)
    return (None if ":" in model else status), "GET", model


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return f"/v1/models/{name}:predict", {"instances": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import OBJECT, operation  # imported late: no prediction needs it

    return {"POST /v1/models/M:predict": operation(_instances.BODY, OBJECT)}


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows, or TensorFlow Serving's columns, of a request."""
    _, key = _models.find(context, name)
    return protocols.infer(context, request, key, parse, render)


def models(context: "Context", request: "Request", name: str) -> Answer:
    """List the names of the models."""
    return _documents.answer({"models": _models.names(context)})


def live(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the process is alive."""
    return _documents.answer({"status": "alive"})

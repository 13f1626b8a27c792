"""MLflow's scoring protocol: `POST /invocations` with a table, `GET /ping`, `/health` and `/version`.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/. SageMaker's `/invocations` has the same bodies: where both
protocols are on, this one answers both.
"""

from flyweight import __version__, protocols
from flyweight.errors import FlyweightError
from flyweight.protocols import Answer, _documents, _invocations, native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Request

PATHS = ["POST /invocations", "GET /ping", "GET /version"]
parse, render = _invocations.parse, _invocations.render
# https://github.com/mlflow/mlflow/blob/master/mlflow/protos/databricks.proto
CODES = {400: "BAD_REQUEST", 404: "RESOURCE_DOES_NOT_EXIST", 413: "BAD_REQUEST", 503: "TEMPORARILY_UNAVAILABLE"}


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path.

    :raises MethodNotAllowed: the path takes another method.
    """
    operations = ROUTES.get(path)
    return None if operations is None else (protocols.operation_for(operations, method, path), "")


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a table."""
    return protocols.infer(context, request, _invocations.model_of(request), parse, render)


def ping(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the model is loaded and answers its own sample as recorded.

    :raises ModelUnavailable: it is not, or the process is about to end.
    """
    native.ready(context, request, name)
    return Answer(b"\n", "application/json")


def version(context: "Context", request: "Request", name: str) -> Answer:
    """Tell the version of this server."""
    return Answer(__version__.encode(), "text/plain")


def error(error: Exception, request_id: str) -> Answer:
    """Write an error as `{"error_code": ..., "message": ...}`."""
    status = _documents.status(error)
    text = _documents.message(error, request_id)
    code = CODES.get(status, "INTERNAL_ERROR" if status >= FlyweightError.status else "INVALID_PARAMETER_VALUE")
    return _documents.answer({"error_code": code, "message": text}, status)


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/invocations", {"dataframe_records": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import OBJECT, operation  # imported late: no prediction needs it

    return {"POST /invocations": operation(_invocations.BODY, OBJECT, "text/csv")}


ROUTES: "dict[str, dict[str, Operation]]" = {
    "/invocations": {"POST": infer},
    "/ping": {"GET": ping},
    "/health": {"GET": ping},
    "/version": {"GET": version},
}

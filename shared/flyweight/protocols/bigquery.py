"""Remote functions of BigQuery: `{"calls": [[...], ...]}` at `POST /`, and `{"replies": [...]}` as the answer.

https://cloud.google.com/bigquery/docs/remote-functions. The function's `user_defined_context` names an output and a model:
`[("output", "probabilities"), ("model", "churn")]`. Whole numbers beyond 2^53 and NUMERIC are texts.
"""

from flyweight.errors import MalformedRequest, listing
from flyweight.protocols import Answer, Query, _documents, _sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

PATHS = ["POST /"]
EXPECTED = '{"calls": [[...], ...]}'
CONTEXT = ("output", "model")
MOST_BYTES = 1000  # of an error's text: BigQuery shows less than 1 KB


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of `POST /`, where native does not answer it.

    :raises MethodNotAllowed: the path takes another method.
    """
    return _sql.route(method, path, predict)


def claim(request: "Request") -> "Operation | None":
    """Recognize a call by its keys."""
    return predict if _sql.has_keys(request.body, "calls", "requestId") else None


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the rows of a call.

    :raises FlyweightError: the call is at fault.
    """
    return _sql.query_of(_read(_sql.document_of(request, predictor.validator.limits, EXPECTED), request, ()), predictor)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write one reply for each call."""
    return _documents.answer({"replies": _sql.values(prediction, query, predictor)})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/", {"requestId": "1", "calls": _sql.example(signature, instances)}


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a call."""
    return _sql.infer(context, request, EXPECTED, _read, render)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error; BigQuery shows its text if the status is 400, and tries 429, 500 and 503 again."""
    text = _documents.message(error, request_id).encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore")
    return _documents.answer({"errorMessage": text}, _sql.status_for(error))


def _read(document: "dict[str, Any]", request: "Request", models: "Iterable[str]") -> "_sql.Call":
    """Find the rows, the output and the model of a call."""
    context = document.get("userDefinedContext") or {}
    context = _documents.members(context, "userDefinedContext")
    if unknown := [*context.keys() - {*CONTEXT}]:
        raise MalformedRequest(f"user_defined_context should name {' or '.join(CONTEXT)}, got {listing(unknown)}")
    output = _sql.text_of(context.get("output"), "output", "predictions")
    return _sql.Call(_sql.rows_of(document.get("calls"), "calls"), output, _sql.text_of(context.get("model"), "model"))

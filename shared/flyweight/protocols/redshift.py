"""Lambda UDFs of Amazon Redshift: `{"external_function": ..., "arguments": [[...], ...]}`, and results as the answer.

https://docs.aws.amazon.com/redshift/latest/dg/udf-creating-a-lambda-sql-udf.html. Redshift invokes the function itself, so that
the call is the event. A row that is null has a null result. Results are scalars: an output of several numbers is a text of JSON.
The name of the function chooses the output and the model, as `_sql` says.
"""

from flyweight.errors import MalformedRequest, preview
from flyweight.protocols import Answer, Query, _documents, _sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

PATHS = ["POST /predict"]
EXPECTED = '{"external_function": "...", "num_records": ..., "arguments": [[...], ...]}'


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of `POST /predict`, where native does not answer it.

    :raises MethodNotAllowed: the path takes another method.
    """
    return _sql.route(method, path, predict)


def claim(request: "Request") -> "Operation | None":
    """Recognize a call by its keys."""
    return predict if _sql.has_keys(request.body, "external_function", "arguments") else None


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the rows of a call.

    :raises FlyweightError: the call is at fault.
    """
    return _sql.query_of(_read(_sql.document_of(request, predictor.validator.limits, EXPECTED), request, ()), predictor)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write one result for each row."""
    results = _sql.scalars(_sql.values(prediction, query, predictor))
    return _documents.answer({"success": True, "num_records": len(results), "results": results})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    rows = _sql.example(signature, instances)
    return "/predict", {"external_function": "predict", "num_records": len(rows), "arguments": rows}


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a call."""
    return _sql.infer(context, request, EXPECTED, _read, render)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error, whose text Redshift shows."""
    return _documents.answer({"success": False, "error_msg": _documents.message(error, request_id)}, _sql.status_for(error))


def _read(document: "dict[str, Any]", request: "Request", models: "Iterable[str]") -> "_sql.Call":
    """Find the rows, the output and the model of a call.

    :raises MalformedRequest: there are more or fewer rows than the call says.
    """
    rows, count = _sql.rows_of(document.get("arguments"), "arguments"), document.get("num_records")
    if count is not None and (type(count) is not int or count != len(rows)):
        raise MalformedRequest(f"num_records should be the number of rows, {len(rows)}, got {preview(count)}")
    return _sql.Call(rows, *_sql.asked_by(document.get("external_function"), models))

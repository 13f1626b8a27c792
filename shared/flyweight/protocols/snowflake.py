"""External functions of Snowflake: `{"data": [[0, ...], ...]}`, and the same with one value for each row as the answer.

https://docs.snowflake.com/en/sql-reference/external-functions-data-format. A value may be an object (VARIANT). The function's
own HEADERS `output` and `model` name an output and a model; else its name does, as `_sql` says. Bodies are usually in gzip.
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

PATHS = ["POST /"]
EXPECTED = '{"data": [[0, ...], ...]}'
FORMAT, FUNCTION = "sf-external-function-format", "sf-external-function-name"
OUTPUT, MODEL = "sf-custom-output", "sf-custom-model"  # Snowflake writes `sf-custom-` before the names of HEADERS


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of `POST /`, where native does not answer it.

    :raises MethodNotAllowed: the path takes another method.
    """
    return _sql.route(method, path, predict)


def claim(request: "Request") -> "Operation | None":
    """Recognize a call by a header of its own, or by its rows where a gateway does not pass headers on."""
    if FORMAT in request.headers or FUNCTION in request.headers:
        return predict
    return predict if request.body[:100].translate(None, _sql.BLANKS).startswith(b'{"data":[[0,') else None


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the rows of a call.

    :raises FlyweightError: the call is at fault.
    """
    return _sql.query_of(_read(_sql.document_of(request, predictor.validator.limits, EXPECTED), request, ()), predictor)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write each row's number and value."""
    values = _sql.values(prediction, query, predictor)
    return _documents.answer({"data": [*map(list, zip(query.options["numbers"], values, strict=True))]})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/", {"data": [[place, *row] for place, row in enumerate(_sql.example(signature, instances))]}


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a call."""
    return _sql.infer(context, request, EXPECTED, _read, render)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error; Snowflake shows the body, and tries 429 and 5xx again."""
    return _documents.answer({"error": _documents.message(error, request_id)}, _sql.status_for(error))


def _read(document: "dict[str, Any]", request: "Request", models: "Iterable[str]") -> "_sql.Call":
    """Find the rows, their numbers, the output and the model of a call.

    :raises MalformedRequest: a row does not begin with a number.
    """
    rows = _sql.rows_of(document.get("data"), "data")
    for place, row in enumerate(rows):
        if not (isinstance(row, list) and row and type(row[0]) is int):
            raise MalformedRequest(f"row {place} of data should begin with its number, got {preview(row)}")
    headers = request.headers
    output, model = _sql.asked_by(headers.get(FUNCTION), models)
    options = {"numbers": [row[0] for row in rows]}
    return _sql.Call([row[1:] for row in rows], headers.get(OUTPUT, output), headers.get(MODEL, model), options)

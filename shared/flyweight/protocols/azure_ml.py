"""The online endpoints of Azure Machine Learning: `POST /score`, `GET /swagger.json`.

https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints. The body is `{"data": [...]}`,
`{"input_data": [...]}`, or `{"input_data": {"columns": [...], "data": [...]}}` as models of MLflow take it. Beside it,
`parameters` may name `outputs`. The answer is an array with one entry for each instance.
"""

from flyweight import formats, protocols
from flyweight.errors import FlyweightError, MalformedRequest, listing
from flyweight.formats import columns
from flyweight.protocols import Answer, Query, _documents, _invocations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.models.validation import Validator
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Parsed, Prediction, Request

PATHS = ["POST /score", "GET /swagger.json"]
TABLES = ("data", "input_data", "Inputs")
BESIDE = ("columns", "index", "params", "parameters", "outputs", "method", "GlobalParameters")
BODY: "dict[str, Any]" = {
    "type": ["object", "array"],
    "properties": {
        "input_data": {"type": ["array", "object"]},
        "data": {"type": "array"},
    },
}
EXPECTED = '{"input_data": [...]}, {"input_data": {"columns": [...], "data": [...]}} or {"data": [...]}'


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path.

    :raises MethodNotAllowed: the path takes another method.
    """
    operations = ROUTES.get(path)
    return None if operations is None else (protocols.operation_for(operations, method, path), "")


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the instances, and the outputs that are asked for.

    :raises MalformedRequest: the body is of no known form.
    :raises FlyweightError: as `formats.parse`.
    """
    content_type = request.headers.get("content-type", "")
    if formats.split_content_type(content_type[: formats.MAX_HEADER])[0] in _documents.UNTYPED:
        content_type = _documents.JSON
    instances, outputs = formats.parse(request.body, content_type, predictor.validator, {_documents.JSON: _parse_json})
    return Query(instances, outputs or ["predictions"])


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write an array: labels or numbers, or objects if several outputs were asked for."""
    return _documents.answer(_invocations.answers_of(prediction, query))


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the instances of a request."""
    return protocols.infer(context, request, name, parse, render)


def swagger(context: "Context", request: "Request", name: str) -> Answer:
    """Describe `/score` (OpenAPI 3.0), as the platform's own page shows it."""
    from flyweight.protocols.openapi import instance_schema  # imported late: no prediction needs it

    predictor = context.predictor(name)
    rows = {"type": "array", "items": instance_schema(predictor.signature)}
    body = {"type": "object", "required": ["input_data"], "properties": {"input_data": rows}}
    answered = {
        "description": "one entry for each instance",
        "content": {_documents.JSON: {"schema": {"type": "array", "items": {}}}},
    }
    operation = {
        "operationId": "score",
        "requestBody": {"required": True, "content": {_documents.JSON: {"schema": body}}},
        "responses": {"200": answered},
    }
    information = {"title": predictor.name, "version": predictor.version}
    return _documents.answer({"openapi": "3.1.0", "info": information, "paths": {"/score": {"post": operation}}})


def error(error: Exception, request_id: str) -> Answer:
    """Write an error as Azure's APIs do: `{"error": {"code": ..., "message": ...}}`.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors
    """
    status = _documents.status(error)
    code = error.code if isinstance(error, FlyweightError) else FlyweightError.code
    words = "".join([word.capitalize() for word in code.split("_")])
    return _documents.answer({"error": {"code": words, "message": _documents.message(error, request_id)}}, status)


def _parse_json(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    document, _ = _documents.parse_json(text, validator, parameters)
    outputs = _invocations.outputs_of(document) if isinstance(document, dict) else None
    return _instances(document, validator), outputs


def _instances(document: "Any", validator: "Validator") -> "list[Any]":
    """Find the instances of a body.

    :raises MalformedRequest: the body is of no known form.
    """
    if isinstance(document, list) or any(
        [name in _documents.members(document, "the body", EXPECTED) for name in _invocations.TABLES]
    ):
        return _invocations.instances_of(document, validator)
    given = [name for name in TABLES if name in document]
    if len(given) != 1 or not {*document} <= {*given, *BESIDE}:
        raise MalformedRequest(f"expected {EXPECTED}, got an object with the keys {listing([*document])}")
    table, place = document[given[0]], ""
    if given[0] == "data":
        return columns.of_rows(document.get("columns"), table, validator)
    while (
        isinstance(table, dict)
        and {*table} <= {"input_data", "data", "columns", "index"}
        and "columns" not in table
        and not place
    ):
        place, table = f"{given[0]}.", table.get("data", table.get("input_data"))
    if isinstance(table, dict) and "data" in table:
        return columns.of_rows(table.get("columns"), table["data"], validator, f"{given[0]}.")
    if isinstance(table, dict):
        return columns.of_columns(table, validator)
    return columns.of_rows(None, table, validator, f"{given[0]}.")


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/score", {"input_data": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import ROWS, operation  # imported late: no prediction needs it

    return {"POST /score": operation(BODY, ROWS, "text/csv")}


ROUTES: "dict[str, dict[str, Operation]]" = {"/score": {"POST": infer}, "/swagger.json": {"GET": swagger}}

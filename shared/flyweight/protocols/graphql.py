"""GraphQL over HTTP: `GET` and `POST /graphql`, and below `/models/NAME` for one of FLYWEIGHT_MODELS.

https://graphql.github.io/graphql-over-http/draft/. `_graphql_schema` makes the schema of a model. There are queries only. The
package graphql-core parses, validates and executes them, and is imported by the first request.
"""

# imports late: graphql
from flyweight import formats, protocols
from flyweight.errors import (
    OK,
    FlyweightError,
    InvalidInput,
    MalformedRequest,
    ModelUnavailable,
    NotAcceptable,
    TooLarge,
    error_fields,
    preview,
    status_of,
)
from flyweight.formats.json import RECORD_FIELDS
from flyweight.protocols import Answer, Query, _documents, _graphql_queries, _graphql_schema, _sql
from flyweight.protocols.native import MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from graphql import GraphQLError, GraphQLSchema

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

PATHS = ["GET /graphql", "POST /graphql"]
REQUIRES = ("graphql-core",)
PATH = "/graphql"
RESPONSE, JSON = "application/graphql-response+json", "application/json"
EXPECTED = '{"query": "...", "variables": {...}}'
EXAMPLE = "query ($i: [Instance!]!) { predict(instances: $i) { prediction } }"
MEMBERS = ("query", "variables", "operationName")
SCHEMAS: "dict[str, GraphQLSchema]" = {}  # by the hash of the model's file: making one takes longer than a query
MOST_SCHEMAS = 8


class MissingPackage(ModelUnavailable):
    """The deployment was built without graphql-core."""


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path, and the model's name.

    :raises MethodNotAllowed: the path takes GET and POST.
    """
    model = path[len(MODELS) : -len(PATH)] if path.startswith(MODELS) else ""
    if path != (f"{MODELS}{model}{PATH}" if model else PATH) or "/" in model:
        return None
    return protocols.operation_for({"GET": infer, "POST": infer}, method, path), model


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read a query, its variables and the name of its operation, which `render` needs.

    :raises FlyweightError: the request is at fault.
    """
    return Query([], options=_asked(request, predictor))


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write the predictions of instances as the data of an answer."""
    options = {"rows": len(prediction.predictions or []), "places": range(len(prediction.predictions or []))}
    labels = _sql.values(prediction, Query([], ["predictions"], options=options), predictor)
    return _documents.answer({"data": {"predict": [{"prediction": label} for label in labels]}})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return PATH, {"query": EXAMPLE, "variables": _graphql_schema.variables(signature, instances)}


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Answer a query.

    :raises NotAcceptable: the caller accepts neither type of answer.
    :raises FlyweightError: the request is at fault, or no model can answer.
    """
    accepted = _accepted(request.headers.get("accept", ""))
    try:
        import graphql as g
    except ModuleNotFoundError:
        raise MissingPackage("GraphQL needs the package graphql-core; build with `--protocol graphql`, or install it") from None
    predictor = context.predictor(name)
    asked = _asked(request, predictor)
    schema = _schema(predictor)
    try:
        document = _graphql_queries.valid(asked["query"], schema)
    except _graphql_queries.Unreadable as failure:
        context.log_fields.update(error_fields(failure))
        status = MalformedRequest.status if accepted == RESPONSE else OK
        return _written({"errors": [error.formatted for error in failure.errors]}, accepted, status)
    _bound(asked["variables"] or {}, predictor)
    fields = _graphql_queries.names(document)
    outputs = [output for output in predictor.output_names if RECORD_FIELDS[output] in fields] or ["predictions"]
    root = _graphql_schema.Asked(context, request, name, predictor, outputs, [])
    result = g.execute_sync(
        schema,
        document,
        root,
        variable_values=asked["variables"] or {},
        operation_name=asked["operationName"],
        max_coercion_errors=20,
    )
    told: dict[str, Any] = {}
    if result.errors:
        told["errors"] = [_told(error, context, request.request_id) for error in result.errors]
    started = result.data is not None or any([error.path for error in result.errors or ()])
    status = OK if started or accepted == JSON else MalformedRequest.status
    return _written({**told, "data": result.data} if started else told, accepted, status)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error that keeps a query from being executed."""
    code = error.code if isinstance(error, FlyweightError) else FlyweightError.code
    told = {"message": _documents.message(error, request_id), "extensions": {"code": code}}
    status = MalformedRequest.status if isinstance(error, InvalidInput) else status_of(error)
    return _written({"errors": [told]}, RESPONSE, status)


def _asked(request: "Request", predictor: "Predictor") -> "dict[str, Any]":
    """Read the parameters of a request from its body, or from its address for GET.

    :raises MalformedRequest: they are not of their types, or there is no query.
    """
    if request.method.upper() == "POST":
        document = _documents.read(request.body, request, predictor.validator, EXPECTED)
    else:
        from urllib.parse import parse_qsl  # imported late: most queries are in bodies

        document = dict(parse_qsl(request.query[: 1 << 20], max_num_fields=20)) if request.query.count("&") < 20 else {}
        for name in ("variables", "extensions"):
            if name in document:
                document[name] = _documents.parse_json(document[name], predictor.validator, {})[0]
    asked = {name: document.get(name) for name in MEMBERS}
    if not isinstance(asked["query"], str) or not asked["query"]:
        raise MalformedRequest(f"query should be a text of GraphQL, got {preview(asked['query'])}; expected {EXPECTED}")
    if asked["variables"] is not None:
        _documents.members(asked["variables"], "variables")
    _sql.text_of(asked["operationName"], "operationName")
    return asked


def _bound(variables: "dict[str, Any]", predictor: "Predictor") -> None:
    """Check how many instances the variables hold, before the library converts them one by one.

    :raises TooLarge: more than the limit.
    """
    count = sum([len(value) for value in variables.values() if isinstance(value, list)])
    most = predictor.validator.limits.max_instances
    if count > most:
        raise TooLarge(f"{count} instances, the limit is {most} a request")


def _schema(predictor: "Predictor") -> "GraphQLSchema":
    """Get the schema of a model; it is made once for each model that is loaded."""
    key = predictor.file.sha256
    schema = SCHEMAS.get(key)
    if schema is None:
        if len(SCHEMAS) >= MOST_SCHEMAS:
            SCHEMAS.clear()
        schema = SCHEMAS[key] = _graphql_schema.made(predictor)
    return schema


def _told(error: "GraphQLError", context: "Context", request_id: str) -> "dict[str, Any]":
    """Write an error of a field, without the words of one that is not expected."""
    told: dict[str, Any] = {**error.formatted}
    origin = error.original_error
    if origin is not None and type(origin).__name__ != "GraphQLError":
        context.log_fields.update(error_fields(origin))
        code = origin.code if isinstance(origin, FlyweightError) else FlyweightError.code
        told = {**told, "message": _documents.message(origin, request_id), "extensions": {"code": code}}
    return told


def _accepted(accept: str) -> str:
    """Choose the type of the answer.

    :raises NotAcceptable: none that is accepted can be written.
    """
    ranges = [formats.split_content_type(entry) for entry in accept[: formats.MAX_HEADER].split(",")]
    for entry, _ in sorted(ranges, key=lambda pair: -formats.quality(pair[1].get("q", "1"))):
        if entry in (RESPONSE, JSON):
            return entry
        if entry in ("", "*/*", "application/*"):
            return RESPONSE
    raise NotAcceptable(f"none of {preview(accept)} is supported; supported are {RESPONSE}, {JSON}")


def _written(document: "dict[str, Any]", content_type: str, status: int) -> Answer:
    return _documents.answer(document, status)._replace(content_type=content_type)

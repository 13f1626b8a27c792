"""Scalar UDFs of Amazon Athena: columns of Arrow in base64, and one column as the answer; also Athena's ping.

https://docs.aws.amazon.com/athena/latest/ug/querying-udf.html and the classes of its SDK,
https://github.com/awslabs/aws-athena-query-federation. Athena invokes the function itself. The name of the UDF chooses the output
and the model, as `_sql` says. An output of several numbers is a text of JSON. pyarrow reads and writes the columns.
"""

# imports late: pyarrow
from struct import Struct
from struct import error as BreaksOff

from flyweight.errors import FlyweightError, MalformedRequest, preview
from flyweight.formats import bounds
from flyweight.protocols import Answer, Query, _documents, _sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

PATHS = ["POST /predict"]
REQUIRES = ("pyarrow",)
CALL, PING = "UserDefinedFunctionRequest", "PingRequest"
EXPECTED = f'{{"@type": "{CALL}", "inputRecords": ..., "outputSchema": ..., "methodName": ...}}'
CAPABILITIES = 23  # what the SDK's own handler of UDFs tells
SHORT, LONG = Struct("<H"), Struct("<i")
ROWS, COMPRESSION, HEADER = 0, 3, 2  # numbers of fields: https://github.com/apache/arrow/blob/main/format/Message.fbs


class MissingPackage(FlyweightError):
    """The function was built without the package that reads Arrow."""


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of `POST /predict`, where native does not answer it.

    :raises MethodNotAllowed: the path takes another method.
    """
    return _sql.route(method, path, predict)


def claim(request: "Request") -> "Operation | None":
    """Recognize a call or a ping by its type."""
    known = _sql.has_keys(request.body, "@type") and (CALL.encode() in request.body or PING.encode() in request.body)
    return predict if known else None


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the rows of a call.

    :raises FlyweightError: the call is at fault.
    """
    return _sql.query_of(_read(_sql.document_of(request, predictor.validator.limits, EXPECTED), request, ()), predictor)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write a column of the type that the call wants.

    :raises MalformedRequest: the values are of another type.
    """
    from base64 import b64encode

    pyarrow, schema = _pyarrow(), query.options["schema"]
    values = _sql.scalars(_sql.values(prediction, query, predictor))
    try:
        batch = pyarrow.record_batch([pyarrow.array(values, schema.field(0).type)], schema=schema)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        kind = f"the UDF returns {schema.field(0).type}, which does not hold the output {(query.outputs or [''])[0]}"
        raise MalformedRequest(f"{kind}: {str(error)[:100]}") from None
    records = {**query.options["records"], "records": b64encode(batch.serialize()).decode()}
    method = query.options["method"]
    return _documents.answer({"@type": "UserDefinedFunctionResponse", "records": records, "methodName": method})


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a call, or answer a ping."""
    document = _sql.document_of(request, context.settings.limits, EXPECTED)
    if document.get("@type") == PING:
        told = {"catalogName": document.get("catalogName"), "queryId": document.get("queryId"), "sourceType": "athena_udf"}
        return _documents.answer({"@type": "PingResponse", **told, "capabilities": CAPABILITIES})
    return _sql.infer(context, request, EXPECTED, _read, render)


def error(error: Exception, request_id: str) -> Answer:
    """Write an error; the handler raises it, because Athena shows a failed invocation's text alone."""
    return _documents.answer({"error": _documents.message(error, request_id)}, _sql.status_for(error))


def _read(document: "dict[str, Any]", request: "Request", models: "Iterable[str]") -> "_sql.Call":
    """Find the rows, the output and the model of a call.

    :raises MalformedRequest: it is no call, or its columns are damaged, compressed or of types that are no arguments.
    :raises TooLarge: its rows take more memory than a call of its size may.
    """
    if document.get("@type") != CALL:
        raise MalformedRequest(f"@type should be {CALL} or {PING}, got {preview(document.get('@type'))}")
    given, wanted = (_documents.members(document.get(key), key) for key in ("inputRecords", "outputSchema"))
    pyarrow, written = _pyarrow(), wanted.get("schema")
    try:
        schema = _schema(given.get("schema"), "inputRecords.schema", pyarrow)
        answers = _schema(written, "outputSchema.schema", pyarrow)
        message = pyarrow.ipc.read_message(pyarrow.py_buffer(_bytes(given.get("records"), "inputRecords.records")))
        bounds.check_made(_rows_of(message.metadata.to_pybytes()) * len(schema), len(request.body))
        batch = pyarrow.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
        columns = [_values(column.to_pylist()) for column in batch.columns]
    except (pyarrow.ArrowException, EOFError, OSError, ValueError, OverflowError, BreaksOff) as error:
        raise MalformedRequest(f"the columns of the call can't be read: {str(error)[:200]}") from None
    if len(answers) != 1:
        raise MalformedRequest(f"outputSchema should have one column, got {len(answers)}")
    method = document.get("methodName")
    records = {"aId": given.get("aId"), "schema": written}
    options = {"schema": answers, "records": records, "method": method}
    return _sql.Call([[*row] for row in zip(*columns, strict=True)], *_sql.asked_by(method, models), options)


def _schema(value: "Any", name: str, pyarrow: "Any") -> "Any":
    """Read the names and types of columns. Types of which a few bytes can stand for many values are no arguments.

    :raises MalformedRequest: a column is of such a type.
    """
    schema, kinds = pyarrow.ipc.read_schema(pyarrow.py_buffer(_bytes(value, name))), pyarrow.types
    for field in schema:
        known = (kinds.is_primitive, kinds.is_decimal, kinds.is_string, kinds.is_large_string, kinds.is_null)
        if not any([is_of(field.type) for is_of in known]):
            raise MalformedRequest(f"column {preview(field.name)} should hold numbers, truth values, texts or dates")
    return schema


def _rows_of(head: bytes) -> int:
    """Read the number of rows in the head of a batch, which pyarrow tells only after it has made the rows.

    :param head: a message of Arrow, whose form pyarrow has checked.
    :raises MalformedRequest: the rows are compressed, which Athena does not do.
    """
    place = _field(head, LONG.unpack_from(head)[0], HEADER)
    batch = place + LONG.unpack_from(head, place)[0]
    if _field(head, batch, COMPRESSION):
        raise MalformedRequest("the columns of the call are compressed; send them as they are")
    rows = _field(head, batch, ROWS)
    return int.from_bytes(head[rows : rows + 8], "little") if rows else 0


def _field(head: bytes, table: int, number: int) -> int:
    """Find the place of a field of a table, 0 if it is absent: https://flatbuffers.dev/internals/."""
    offsets = table - LONG.unpack_from(head, table)[0]
    place = 4 + 2 * number
    found = SHORT.unpack_from(head, offsets + place)[0] if place < SHORT.unpack_from(head, offsets)[0] else 0
    return table + int(found) if found else 0


def _values(column: "list[Any]") -> "list[Any]":
    """Turn decimal numbers into texts, which are then read as numbers; other values stay as they are."""
    return [str(value) if type(value).__name__ == "Decimal" else value for value in column]


def _bytes(value: "Any", name: str) -> bytes:
    """Decode base64.

    :raises MalformedRequest: it is something else.
    """
    from binascii import a2b_base64

    try:
        return a2b_base64(value)
    except (TypeError, ValueError):
        raise MalformedRequest(f"{name} should be base64, got {preview(value)}") from None


def _pyarrow() -> "Any":
    """Import pyarrow.

    :raises MissingPackage: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
    except ModuleNotFoundError:
        raise MissingPackage("these columns need pyarrow: build with `--protocol athena`, or install it") from None
    return pyarrow

"""Read and write the bodies of `POST /invocations`, a path that SageMaker and MLflow have in common.

JSON holds an array of instances, or an object with one of `instances`, `inputs`, `dataframe_split` and `dataframe_records`, and
beside it `params` or `parameters`, whose `outputs` names outputs. CSV has a header (MLflow) or has none (SageMaker): a first line
that holds the name of each feature is a header. The other types are NDJSON, npy and npz of NumPy without pickles, and Parquet
where pyarrow is installed. An answer is of the accepted type, or of the type of the request.
"""

from flyweight import formats, strict_json
from flyweight.errors import MalformedRequest, NotAcceptable, listing, preview
from flyweight.formats import columns
from flyweight.formats import json as json_format
from flyweight.protocols import Answer, Query, _documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.formats import Parser
    from flyweight.models.validation import Validator
    from flyweight.predictor import Predictor
    from flyweight.values import Parsed, Prediction, Request

JSON, CSV, LINES = "application/json", "text/csv", "application/x-ndjson"
NPY, PARQUET = "application/x-npy", ("application/vnd.apache.parquet", "application/x-parquet")
ARRAYS = (NPY, "application/x-npz")
TABLES = ("instances", "inputs", "dataframe_split", "dataframe_records")
BESIDE = ("params", "parameters", "outputs", "signature_name")
ATTRIBUTES, TARGET = "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-target-model"  # headers
BODY: "dict[str, Any]" = {  # the JSON Schema of a body
    "type": ["object", "array"],
    "properties": {
        **{name: {"type": ["array", "object"]} for name in TABLES if name != "dataframe_split"},
        "dataframe_split": {"type": "object", "properties": {"columns": {"type": "array"}, "data": {"type": "array"}}},
    },
}
EXPECTED = f"an array of instances, or an object with one of {', '.join(TABLES)}"


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read the instances of a request, the outputs that it asks for, and the type of its answer.

    :raises NotAcceptable: none of the accepted types can be written.
    :raises FlyweightError: the body is not of its type, or too large.
    """
    headers, validator = request.headers, predictor.validator
    content_type = headers.get("content-type", "")
    media_type = formats.split_content_type(content_type[: formats.MAX_HEADER])[0]
    if media_type in ARRAYS:
        from flyweight.formats import npy  # imported late: few callers send arrays of NumPy

        instances, outputs = npy.parse(request.body, media_type == NPY, validator), None
    elif media_type in PARQUET:
        from flyweight.formats import parquet  # imported late: few callers send Parquet

        instances, outputs = parquet.parse(request.body, validator), None
    else:
        content_type = JSON if media_type in _documents.UNTYPED else content_type
        parsers: dict[str, Parser] = {JSON: _parse_json, CSV: _parse_csv, LINES: json_format.parse_lines}
        instances, outputs = formats.parse(request.body, content_type, validator, parsers)
    return Query(instances, outputs or _attributes(headers), _accepted(headers.get("accept", ""), media_type))


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write labels or numbers, or objects where several outputs were asked for; lines end between instances, not after the last.

    Batch transform puts a line's end after each answer:
    https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
    """
    answers = answers_of(prediction, query)
    if query.content_type == JSON:
        return _documents.answer({"predictions": answers})
    if query.content_type == LINES:
        return Answer(b"\n".join([strict_json.encode(answer) for answer in answers]), "application/jsonlines")
    if query.content_type == CSV:
        from flyweight.formats import csv

        return Answer(csv.write(prediction, header=False).encode("utf-8", "replace").removesuffix(b"\n"), CSV)
    from flyweight.formats import npy

    return Answer(npy.write(answers), NPY)


def model_of(request: "Request") -> str:
    """Find the name of the model that SageMaker's header asks for, where several share an endpoint; "" for the default one."""
    return request.headers.get(TARGET, "")


def answers_of(prediction: "Prediction", query: Query) -> "list[Any]":
    """Make one answer for each instance: a label or a number, or an object where several outputs were asked for."""
    fields = {name: values for name, values in prediction._asdict().items() if name in (query.outputs or ())}
    names = [json_format.RECORD_FIELDS[name] for name in fields]
    rows = zip(*fields.values(), strict=True)
    return [row[0] if len(names) == 1 else dict(zip(names, row, strict=True)) for row in rows]


def outputs_of(document: "dict[str, Any]") -> "Any":
    """Find the outputs that an object asks for, beside its table or among its parameters; None if it asks for none."""
    for place in ("params", "parameters"):
        parameters = document.get(place)
        if parameters is not None and "outputs" in _documents.members(parameters, place):
            return parameters["outputs"]
    return document.get("outputs")


def instances_of(document: "Any", validator: "Validator") -> "list[Any]":
    """Find the instances in an array, or in an object under one of the names of tables.

    :raises MalformedRequest: it has none of them, or more than one.
    :raises InvalidInput: a table's columns are not the features.
    """
    if isinstance(document, list):
        return document
    given = [name for name in TABLES if name in _documents.members(document, "the body", EXPECTED)]
    if len(given) != 1 or not {*document} <= {*given, *BESIDE}:
        raise MalformedRequest(f"expected {EXPECTED}, got an object with the keys {listing([*document])}")
    name, value = given[0], document[given[0]]
    if name == "dataframe_split":
        table = _documents.members(value, name)
        return columns.of_rows(table.get("columns"), table.get("data"), validator, f"{name}.")
    if isinstance(value, dict):
        return columns.of_columns(value, validator)
    if not isinstance(value, list):
        raise MalformedRequest(f"{name} should be an array of instances, got {preview(value)}")
    if len(validator.features) == 1:
        return [row if isinstance(row, (dict, list)) else [row] for row in value]
    return value


def _parse_json(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    document, _ = _documents.parse_json(text, validator, parameters)
    instances = instances_of(document, validator)
    outputs = outputs_of(document) if isinstance(document, dict) else None
    return json_format.read_texts(instances, validator) if validator.limits.parse_text else instances, outputs


def _parse_csv(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    """Parse CSV, with a header if its first line names each feature that the model reads, or if the content type says so."""
    from flyweight.formats import csv

    stated = parameters.get("header")
    if stated is None:
        first = next(csv.rows(text), (1, []))[1]
        names = {name.strip() for name in first}
        header = all([feature.name in names for feature in validator.features if feature.kind != "unread"])
    else:
        header = stated != "absent"
    return csv.parse(text, validator, header), None


def _attributes(headers: "Any") -> "list[str]":
    """Find the outputs that SageMaker's custom attributes ask for, as `outputs=predictions,probabilities`; else predictions."""
    for item in headers.get(ATTRIBUTES, "")[: formats.MAX_HEADER].split(";"):
        name, equals, value = item.partition("=")
        if equals and name.strip() == "outputs":
            return [word.strip() for word in value.split(",")]
    return ["predictions"]


def _accepted(accept: str, media_type: str) -> str:
    """Choose the type of the answer: the first accepted one that can be written; any type means that of the request.

    :raises NotAcceptable: none of them can be written.
    """
    if len(accept) > formats.MAX_HEADER:
        raise NotAcceptable(f"the header Accept has {len(accept)} characters, the limit is {formats.MAX_HEADER}")
    usual = LINES if media_type in formats.LINES else NPY if media_type in ARRAYS else CSV if media_type == CSV else JSON
    ranges = [formats.split_content_type(entry) for entry in accept.split(",")]
    for entry, _ in sorted(ranges, key=lambda pair: -formats.quality(pair[1].get("q", "1"))):
        if entry in ("", "*/*", "application/*"):
            return usual
        name = LINES if entry in formats.LINES else entry
        if name in (JSON, CSV, LINES, NPY):
            return name
    known = ", ".join((JSON, CSV, "application/jsonlines", NPY))
    raise NotAcceptable(f"none of {preview(accept)} is supported; supported are {known}")

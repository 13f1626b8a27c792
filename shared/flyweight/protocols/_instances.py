"""Read and write the JSON of `/v1/models/M:predict`, a path that KServe v1 and TensorFlow Serving have in common.

- `{"instances": [...]}` of both, and KServe's other name for it, `{"inputs": [...]}`, hold rows: `{"predictions": [...]}`.
- `{"inputs": {NAME: [...]}}` of TensorFlow Serving holds columns: `{"outputs": ...}`.

So each client gets its own answer, whichever of the two protocols is asked first. An answer is labels or numbers alone, as these
protocols' own servers give them for one output. `"signature_name": "probabilities"` asks for another output, `all_outputs` for
all, and `"parameters": {"outputs": [...]}` for some.
"""

from flyweight.errors import MalformedRequest, listing, preview
from flyweight.formats import json as json_format
from flyweight.protocols import Answer, Query, _documents, _models, _signatures, native
from flyweight.protocols._tensors import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.validation import Validator
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context
    from flyweight.values import Prediction, Request

EXPECTED = '{"instances": [...]}, {"inputs": [...]} or {"inputs": {NAME: [...]}}'
BODY: "dict[str, Any]" = {  # the JSON Schema of a body
    "type": "object",
    "properties": {
        "instances": {"type": "array", "description": "rows"},
        "inputs": {"type": ["array", "object"], "description": "rows, or columns by name"},
        "signature_name": {"description": "the output to answer with"},
        "parameters": {"type": ["object", "null"]},
    },
}
USUAL, ALL = "serving_default", "all_outputs"  # names of signatures


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read rows or columns, and which outputs are asked for.

    :raises MalformedRequest: the body is of neither form.
    :raises FlyweightError: as `_documents.read` and `_signatures.instances_of`.
    """
    document = _documents.read(request.body, request, predictor.validator, EXPECTED)
    if ("instances" in document) == ("inputs" in document):
        raise MalformedRequest(f"expected {EXPECTED}, got an object with the keys {listing([*document])}")
    given = document.get("instances", document.get("inputs"))
    outputs = _outputs(document, predictor)
    columns = isinstance(given, dict) and "instances" not in document
    if isinstance(given, dict) and columns:
        instances = _signatures.instances_of([_column(*pair) for pair in given.items()], predictor.validator)
    else:
        instances = rows(given, predictor.validator)
    if predictor.validator.limits.parse_text:
        instances = json_format.read_texts(instances, predictor.validator)
    return Query(instances, outputs, options={"columns": columns})


def render(prediction: "Prediction", query: Query, predictor: "Predictor", tokens: bool = False) -> Answer:
    """Write one output as it is, and several by their names: objects for rows, one object for columns.

    :param tokens: whether a number that is not finite is NaN or Infinity, as always for columns, or null.
    """
    fields = {name: values for name, values in prediction._asdict().items() if name in (query.outputs or ())}
    if query.options["columns"]:
        return written({"outputs": fields if len(fields) > 1 else next(iter(fields.values()))})
    several = [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]
    document = {"predictions": several if len(fields) > 1 else next(iter(fields.values()))}
    return written(document) if tokens else _documents.answer(document)


def rows(given: "Any", validator: "Validator") -> "list[Any]":
    """Make instances of rows: arrays, objects by feature name, or bare values for a model of one feature.

    :raises MalformedRequest: they are no array, or what should be base64 is something else.
    """
    if not isinstance(given, list):
        raise MalformedRequest(f"instances should be an array, got {preview(given)}")
    one = len(validator.features) == 1
    instances: list[Any] = []
    for row in given:
        row = _value(row) if isinstance(row, dict) else row
        if isinstance(row, dict):
            row = {name: _value(value) for name, value in row.items()}
        elif isinstance(row, list):
            row = [_value(value) for value in row]
        instances.append([row] if one and not isinstance(row, (dict, list)) else row)
    return instances


def written(document: "Any") -> Answer:
    """Write an answer with the tokens NaN and Infinity, which TensorFlow Serving has for such numbers.

    Source: https://www.tensorflow.org/tfx/serving/api_rest#json_conformance
    """
    import json  # imported late: no other answer needs it

    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Answer(text.encode("utf-8", "replace"), _documents.JSON)


def status(context: "Context", request: "Request", name: str) -> Answer:
    """Report that a model is ready, in the words of KServe and of TensorFlow Serving at once.

    :raises ModelUnavailable: it does not answer its own sample as recorded, or the process is about to end.
    """
    model, key = _models.find(context, name)
    native.ready(context, request, key)
    own = context.predictor(key).version
    versions = [own] if "/" in name else dict.fromkeys([own, *_models.versions(context, model)])
    fine = {"error_code": "OK", "error_message": ""}
    states = [{"version": version, "state": "AVAILABLE", "status": fine} for version in versions]
    return _documents.answer({"name": model, "ready": True, "model_version_status": states})


def _outputs(document: "dict[str, Any]", predictor: "Predictor") -> "list[str]":
    """Find the outputs that a request asks for.

    :raises MalformedRequest: no signature has that name.
    """
    parameters = document.get("parameters")
    outputs: list[str] | None = None if parameters is None else _documents.members(parameters, "parameters").get("outputs")
    if outputs is not None:
        return outputs
    signature, known = document.get("signature_name") or USUAL, predictor.output_names
    if signature == ALL:
        return known
    if signature != USUAL and signature not in known:
        raise MalformedRequest(f"expected a signature_name among {', '.join((USUAL, *known, ALL))}, got {preview(signature)}")
    return ["predictions"] if signature == USUAL else [signature]


def _column(name: str, given: "Any") -> Tensor:
    """Make a tensor of one member of `inputs`: an array of values, or of arrays of equal length.

    :raises MalformedRequest: it is neither.
    """
    if not isinstance(given, list):
        raise MalformedRequest(f"input {preview(name)} should be an array with one value for each instance, got {preview(given)}")
    if not given or not isinstance(given[0], list):
        return Tensor(name, "", [len(given)], [_value(value) for value in given])
    width = len(given[0])
    if not all([isinstance(row, list) and len(row) == width for row in given]):
        raise MalformedRequest(f"the arrays in input {preview(name)} should be of equal length")
    return Tensor(name, "", [len(given), width], [_value(value) for row in given for value in row])


def _value(value: "Any") -> "Any":
    """Read one value: a text in base64, `{"b64": ...}`, as UTF-8, and the value in an array of one.

    :raises MalformedRequest: the base64 is malformed, or not of UTF-8.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not (isinstance(value, dict) and [*value] == ["b64"]):
        return value
    from binascii import Error, a2b_base64  # imported late: few values are in base64

    try:
        return a2b_base64(value["b64"], strict_mode=True).decode()
    except (Error, TypeError, ValueError):
        raise MalformedRequest(f"expected base64 of UTF-8 in b64, got {preview(value['b64'])}") from None

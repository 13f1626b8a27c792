"""Say the signature of a model in tensors: its inputs and outputs, instances from tensors, and tensors from a prediction.

A model whose features are all numbers takes one tensor of the shape [N, F], of any name. Every model takes one tensor a feature,
[N] or [N, 1], by the feature's name. Datetimes are texts of ISO 8601, or INT64: microseconds since 1970-01-01T00:00:00.
"""

from flyweight.errors import MalformedRequest, TooLarge, listing, preview
from flyweight.protocols._tensors import DATATYPES, Tensor, datatype_of, of_answers
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from flyweight.models.signature import Feature, Signature
    from flyweight.models.validation import Validator
    from flyweight.predictor import Predictor
    from flyweight.values import Prediction

# the JSON Schemas of a tensor, a request and an answer
TENSOR: "dict[str, Any]" = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 8},
        "datatype": {"enum": [*DATATYPES]},
        "data": {"type": "array"},
    },
}
BODY: "dict[str, Any]" = {
    "type": "object",
    "required": ["inputs"],
    "properties": {"id": {"type": ["string", "null"]}, "inputs": {"type": "array", "items": TENSOR, "minItems": 1}},
}
ANSWER: "dict[str, Any]" = {
    "type": "object",
    "required": ["model_name", "model_version", "outputs"],
    "properties": {"outputs": {"type": "array", "items": TENSOR}},
}
MATRIX = "input"  # the name of the one tensor [N, F] in a model's metadata


class Described(Value):
    """A tensor without values: -1 in its shape is the number of instances.

    `output`: the field of a Prediction that it is made of; `part`: the place in each instance's answer, for a model of several
    outputs that have different classes; None for the whole answer.
    """

    name: str
    datatype: str
    shape: "list[int]"
    output: str = ""
    part: "int | None" = None


def inputs_of(predictor: "Predictor") -> "list[Described]":
    """Describe the tensors that a model takes: one for all features if they are numbers, else one for each."""
    features = predictor.signature.features
    if _is_matrix(features):
        return [Described(MATRIX, "FP64", [-1, len(features)])]
    return [Described(feature.name, _datatype(feature), [-1, 1]) for feature in features]


def example(signature: "Signature", instances: "list[dict[str, Any]]") -> "list[dict[str, Any]]":
    """Say instances, objects by feature name, in tensors of JSON."""
    features, count = signature.features, len(instances)
    if _is_matrix(features):
        rows = [[row.get(feature.name) for feature in features] for row in instances]
        return [{"name": MATRIX, "shape": [count, len(features)], "datatype": "FP64", "data": rows}]
    tensors = []
    for feature in [feature for feature in features if feature.kind != "unread"]:
        datatype, values = _datatype(feature), [row.get(feature.name) for row in instances]
        if datatype == "FP64":
            values = [float(value) if isinstance(value, bool) else value for value in values]
        tensors.append({"name": feature.name, "shape": [count, 1], "datatype": datatype, "data": values})
    return tensors


def outputs_of(predictor: "Predictor") -> "list[Described]":
    """Describe the tensors that a model gives.

    Labels are of the datatype of all classes together. Of several outputs each has its own tensor of probabilities and of scores,
    `probabilities_0`, `probabilities_1`, because they may differ in the number of classes.
    """
    signature, widths = predictor.signature, predictor.engine.widths
    found = []
    for output in predictor.output_names:
        if output == "predictions":
            several = signature.outputs > 1 or signature.task == "transformation"
            found.append(Described(output, _answer_type(predictor), [-1, signature.outputs] if several else [-1], output))
        elif output == "score_samples":
            found.append(Described(output, "FP64", [-1], output))
        elif signature.classes is not None and len(signature.classes) > 1 and output != "transformed":
            sizes = [*map(len, signature.classes)]
            found += [Described(f"{output}_{part}", "FP64", [-1, size], output, part) for part, size in enumerate(sizes)]
        else:
            found.append(Described(output, "FP64", [-1, widths[output]], output))
    return found


def instances_of(tensors: "list[Tensor]", validator: "Validator") -> "list[list[Any]]":
    """Make instances of tensors, each a list in the order of the features; their values are not validated yet.

    :raises MalformedRequest: the tensors differ in the number of instances, or their shapes are not those that the model takes.
    :raises TooLarge: more instances than the limit.
    :raises InvalidInput: a feature has no tensor, or a tensor is no feature.
    """
    if not tensors:
        raise MalformedRequest("there is no input tensor; send one for all features, or one for each feature by its name")
    first = tensors[0]
    count, features = first.shape[0], validator.features
    for tensor in tensors:
        if tensor.shape[0] != count:
            numbers = f"{preview(first.name)} has {count} instances, tensor {preview(tensor.name)} has {tensor.shape[0]}"
            raise MalformedRequest(f"tensor {numbers}")
    if count > validator.limits.max_instances:
        raise TooLarge(f"{count} instances, the limit is {validator.limits.max_instances} a request")
    width = len(features)
    if len(tensors) == 1 and (first.shape[1:] == [width] or (width == 1 and not first.shape[1:])):
        columns = [_of_feature(first.values[place::width], first, feature) for place, feature in enumerate(features)]
        return [[*row] for row in zip(*columns, strict=True)]
    if wide := next((tensor for tensor in tensors if tensor.shape[1:] not in ([], [1])), None):
        raise _wrong_shape(wide, validator)
    names = [tensor.name for tensor in tensors]
    if len({*names}) != len(names):
        ordered = sorted(names)
        twice = next(name for name, before in zip(ordered[1:], ordered, strict=False) if name == before)
        raise MalformedRequest(f"the tensor {preview(twice)} is there twice")
    places = validator.places(names)
    pairs = zip(features, places, strict=True)
    columns = [[None] * count if at is None else _of_feature(tensors[at].values, tensors[at], of) for of, at in pairs]
    return [[*row] for row in zip(*columns, strict=True)]


def answers_of(prediction: "Prediction", predictor: "Predictor", count: int, asked: "Collection[str]" = ()) -> "list[Tensor]":
    """Make the tensors of a prediction.

    :param count: the number of instances.
    :param asked: the names of the tensors or outputs to make; () for all that the prediction has.
    """
    fields, tensors = prediction._asdict(), []
    for described in outputs_of(predictor):
        values = fields[described.output]
        if values is None or (asked and described.name not in asked and described.output not in asked):
            continue
        if described.part is not None:
            values = [row[described.part] for row in values]
        if len(described.shape) > 1:
            values = [value for row in values for value in row]
        texts = described.datatype == "FP64" and datatype_of(values) == "BYTES"
        datatype = "BYTES" if texts else described.datatype
        tensors.append(of_answers(described.name, [count, *described.shape[1:]], values, datatype))
    return tensors


def _is_matrix(features: "list[Feature]") -> bool:
    """Tell whether all features are numbers, so that one tensor holds them."""
    return all([feature.kind in ("number", "unread") for feature in features])


def _wrong_shape(tensor: Tensor, validator: "Validator") -> MalformedRequest:
    """Make the error of a tensor that is neither all features nor one of them."""
    names = [feature.name for feature in validator.features]
    expected = f"[{tensor.shape[0]}, {len(names)}] for the features {listing(names)}, or [{tensor.shape[0]}, 1] for one of them"
    return MalformedRequest(f"tensor {preview(tensor.name)} has the shape {tensor.shape}; expected {expected}")


def _of_feature(values: "list[Any]", tensor: Tensor, feature: "Feature") -> "list[Any]":
    """Bring the values of a column to those that validation takes: whole numbers for a datetime become texts of ISO 8601.

    :raises MalformedRequest: a number is beyond all dates.
    """
    if feature.kind != "datetime" or tensor.datatype != "INT64":
        return values
    from flyweight.models.datetimes import iso  # imported late: most models have no such feature

    try:
        return [value if value is None else iso(value, feature.zone) for value in values]
    except OverflowError:
        raise MalformedRequest(f"tensor {preview(tensor.name)} has microseconds that are beyond the year 9999") from None


def _datatype(feature: "Feature") -> str:
    """Choose the datatype of a feature's tensor; a truth value that may be missing is a number, so that it can be NaN."""
    if feature.kind in ("string", "datetime"):
        return "BYTES"
    return "BOOL" if feature.kind == "boolean" and not feature.nullable else "FP64"


def _answer_type(predictor: "Predictor") -> str:
    """Choose the datatype of predictions: by the classes, or for transformed rows by those of the model's own sample."""
    classes = predictor.signature.classes
    if classes is not None:
        return datatype_of([label for labels in classes for label in labels])
    sample = predictor.file.document.get("sample")
    rows = sample.get("predictions") if isinstance(sample, dict) else None
    texts = isinstance(rows, list) and any([isinstance(value, str) for row in rows if isinstance(row, list) for value in row])
    return "BYTES" if texts else "FP64"

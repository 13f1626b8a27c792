"""JSON and NDJSON: parse the instances in a text, and write predictions."""

from flyweight import strict_json
from flyweight.errors import Fault, InvalidInput, MalformedRequest, listing, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Feature
    from flyweight.values import Parsed, Prediction

EXPECTED = 'an object {"instances": [...]} or an array of instances'
# the fields of a Prediction, in their order
FIELDS = ("predictions", "probabilities", "scores", "score_samples", "transformed", "classes")
# from the same fields, but for the classes, to their names in a record of one instance
RECORD_FIELDS = {
    "predictions": "prediction",
    "probabilities": "probabilities",
    "scores": "scores",
    "score_samples": "score_sample",
    "transformed": "transformed",
}


def parse(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    """Parse `{"instances": [...], "outputs": [...]}` or an array of instances.

    :raises MalformedRequest: the text is not strict JSON.
    :raises InvalidInput: as `instances_of`.
    """
    return instances_of(parse_strictly(text), features)


def parse_record(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    """Parse the body of a record, which may also be one instance by itself.

    :raises MalformedRequest: the text is not strict JSON.
    :raises InvalidInput: as `instances_of`.
    """
    return record_instances_of(parse_strictly(text), features)


def parse_lines(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Parsed":
    """Parse NDJSON: one instance a line; empty lines are skipped.

    :raises MalformedRequest: a line is not strict JSON.
    """
    lines = text.split("\n")
    return [parse_strictly(line, f"line {number}") for number, line in enumerate(lines, 1) if line and not line.isspace()], None


def parse_strictly(text: str, name: str = "the body") -> "Any":
    """Parse one document of a caller.

    :param name: what the text is, for the message.
    :raises MalformedRequest: the text is not strict JSON.
    """
    try:
        return strict_json.parse(text)
    except strict_json.NotStrictJSON as error:
        raise MalformedRequest(f"{name} {error}") from None


def instances_of(document: "Any", features: "list[Feature]") -> "Parsed":
    """Find the instances of a parsed request, and the outputs that it asks for or None.

    :param features: the inputs of the model, by which a bare instance is recognized for a hint.
    :raises InvalidInput: the document is neither an array nor an object with the key `instances`.
    """
    outputs = None
    if isinstance(document, dict):
        if "instances" not in document:
            hint = 'wrap the instance: {"instances": [{...}]}' if features[0].name in document else None
            raise InvalidInput(Fault(EXPECTED, f"an object with the keys {listing([*document])}", hint=hint))
        extra = [key for key in document if key not in ("instances", "outputs")]
        if extra:
            raise InvalidInput(Fault("no other key beside 'instances' and 'outputs'", listing(extra)))
        outputs, document = document.get("outputs"), document["instances"]
    if not isinstance(document, list):
        raise InvalidInput(Fault(EXPECTED, preview(document)))
    return document, outputs


def record_instances_of(document: "Any", features: "list[Feature]") -> "Parsed":
    """Find the instances of a parsed record, which may be one instance by itself.

    :raises InvalidInput: as `instances_of`.
    """
    if isinstance(document, dict) and "instances" not in document:
        return [document], None
    return instances_of(document, features)


def write(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    """Write one object: the fields that the prediction has, and the model's name and version."""
    answer = {name: value for name, value in zip(FIELDS, prediction, strict=True) if value is not None}
    answer["model"] = model
    return strict_json.encode(answer)


def write_lines(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    """Write NDJSON: one record an instance."""
    named = record_columns(prediction)
    names = [name for name, _ in named]
    records = zip(*[values for _, values in named], strict=True)
    return b"".join([strict_json.encode(dict(zip(names, record, strict=True))) + b"\n" for record in records])


def record_columns(prediction: "Prediction") -> "list[tuple[str, list[Any]]]":
    """List the fields that a prediction has, under the names that they have in a record of one instance."""
    fields = zip(FIELDS, prediction, strict=True)
    return [(RECORD_FIELDS[name], values) for name, values in fields if name in RECORD_FIELDS and values is not None]

"""JSON and NDJSON: parse the instances in a text, and write predictions."""

from io import StringIO

from flyweight import strict_json
from flyweight.errors import Fault, InvalidInput, MalformedRequest, TooLarge, listing, preview
from flyweight.models.validation import Numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.validation import Validator
    from flyweight.values import Parsed, Prediction

EXPECTED = 'an object {"instances": [...]} or an array of instances'
KEYS = ("instances", "outputs", "parse_text")
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


def parse(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    """Parse `{"instances": [...], "outputs": [...]}` or an array of instances.

    :raises MalformedRequest: the text is not strict JSON.
    :raises InvalidInput: as `instances_of`.
    """
    return instances_of(parse_strictly(text), validator, _asked(parameters))


def parse_record(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    """Parse the body of a record, which may also be one instance by itself, or some instances one after another.

    :raises MalformedRequest: the text is not strict JSON.
    :raises InvalidInput: as `instances_of`.
    """
    try:
        document = parse_strictly(text)
    except MalformedRequest as error:
        document = _sequence(text, validator.limits.max_instances)
        if document is None:
            raise error from None
    return record_instances_of(document, validator, _asked(parameters))


def _sequence(text: str, limit: int) -> "Numbered | None":
    """Parse one instance a line, or with nothing between them, as stream buffers join records; None if the text is neither.

    :raises TooLarge: more than `limit` instances; they are not parsed.
    """
    try:
        documents, lines = strict_json.parse_sequence(text, limit + 1)
    except strict_json.NotStrictJSON:
        return None
    if len(documents) < 2 or not all([isinstance(document, (dict, list)) for document in documents]):
        return None
    if len(documents) > limit:
        raise TooLarge(f"the body has more than {limit} instances, which is the limit")
    instances = Numbered(documents)
    instances.lines = lines if len({*lines}) == len(lines) else ()
    return instances


def parse_lines(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    """Parse NDJSON: one instance a line; empty lines are skipped.

    :raises MalformedRequest: a line is not strict JSON.
    :raises TooLarge: more lines than the limit on instances; the rest is not read.
    """
    limit = validator.limits.max_instances
    instances = Numbered()
    lines: list[int] = []
    for number, line in enumerate(StringIO(text, newline="\n"), 1):
        if not line.isspace():
            if len(lines) == limit:
                raise TooLarge(f"the body has more than {limit} instances, which is the limit")
            instances.append(parse_strictly(line.rstrip("\n"), f"line {number}"))
            lines.append(number)
    instances.lines = lines
    asked = _asked(parameters)
    return read_texts(instances, validator) if (validator.limits.parse_text if asked is None else asked) else instances, None


def parse_strictly(text: str, name: str = "the body") -> "Any":
    """Parse one document of a caller.

    :param name: what the text is, for the message.
    :raises MalformedRequest: the text is not strict JSON.
    """
    try:
        return strict_json.parse(text)
    except strict_json.NotStrictJSON as error:
        raise MalformedRequest(f"{name} {error}") from None


def instances_of(document: "Any", validator: "Validator", parse_text: "bool | None" = None) -> "Parsed":
    """Find the instances of a parsed request, and the outputs that it asks for or None.

    :param validator: of the model; by its features a bare instance is recognized for a hint.
    :param parse_text: whether strings are read as in CSV; None: as the limits say. The document itself may say it, too.
    :raises InvalidInput: the document is neither an array nor an object with the key `instances`.
    """
    outputs = None
    parse_text = validator.limits.parse_text if parse_text is None else parse_text
    if isinstance(document, dict):
        if "instances" not in document and validator.limits.any_body:
            document = {"instances": [document]}
        if "instances" not in document:
            hint = 'wrap the instance: {"instances": [{...}]}' if validator.features[0].name in document else None
            raise InvalidInput(Fault(EXPECTED, f"an object with the keys {listing([*document])}", hint=hint))
        extra = [key for key in document if key not in KEYS]
        if extra:
            raise InvalidInput(Fault(f"no other key beside {', '.join(map(repr, KEYS))}", listing(extra)))
        asked = document.get("parse_text", parse_text)
        if type(asked) is not bool:
            raise InvalidInput(Fault("true or false for 'parse_text'", preview(asked)))
        outputs, document, parse_text = document.get("outputs"), document["instances"], asked
    if not isinstance(document, list):
        raise InvalidInput(Fault(EXPECTED, preview(document)))
    return read_texts(document, validator) if parse_text else document, outputs


def record_instances_of(document: "Any", validator: "Validator", parse_text: "bool | None" = None) -> "Parsed":
    """Find the instances of a parsed record, which may be one instance by itself.

    :raises InvalidInput: as `instances_of`.
    """
    if isinstance(document, dict) and "instances" not in document:
        document = [document]
    return instances_of(document, validator, parse_text)


def read_texts(instances: "list[Any]", validator: "Validator") -> "list[Any]":
    """Read the strings in instances by the rules for texts in CSV; anything else stays as it is.

    :param instances: not validated yet; they are changed in place.
    """
    from flyweight.models.texts import value_of  # imported late: few callers ask for it

    by_name = {feature.name: feature for feature in validator.features}
    for place, instance in enumerate(instances):
        if isinstance(instance, list):
            pairs = zip(instance, validator.features, strict=False)
            read = [value_of(value, feature) if isinstance(value, str) else value for value, feature in pairs]
            instances[place] = read + instance[len(read) :]
        elif isinstance(instance, dict):
            for name, value in instance.items():
                if isinstance(value, str) and name in by_name:
                    instance[name] = value_of(value, by_name[name])
    return instances


def _asked(parameters: "dict[str, str]") -> "bool | None":
    """Find whether a content type asks that strings are read as in CSV: `application/json; parse_text=true`; else None."""
    return parameters["parse_text"].lower() == "true" if "parse_text" in parameters else None


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

"""JSON and NDJSON: parse the instances in a text, and write predictions."""

from _io import StringIO  # `io` imports `abc`, which Python 3.14 does not at its start

from flyweight import strict_json
from flyweight.errors import Fault, InvalidInput, MalformedRequest, TooLarge, listing, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.models.numbered import Numbered
    from flyweight.models.validation import Validator
    from flyweight.values import Parsed, Prediction

EXPECTED = 'an object {"instances": [...]} or an array of instances'
KEYS = ("instances", "outputs", "parse_text", "parameters")
TABLE = ("columns", "index", "data")  # as pandas' `to_json(orient="split")` writes a table
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
    from flyweight.models.numbered import Numbered

    instances = Numbered(documents)
    instances.lines = lines if len({*lines}) == len(lines) else ()
    return instances


def parse_lines(text: str, validator: "Validator", parameters: "dict[str, str]") -> "Parsed":
    """Parse NDJSON: one instance a line; empty lines are skipped.

    :raises MalformedRequest: a line is not strict JSON.
    :raises TooLarge: more lines than the limit on instances; the rest is not read.
    """
    from flyweight.models.numbered import Numbered

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
    :raises InvalidInput: the document is neither an array nor an object with instances or a table, or has other keys.
    """
    parse_text = validator.limits.parse_text if parse_text is None else parse_text
    if not isinstance(document, dict):
        return _listed(document, validator, parse_text), None
    document = _with_instances(document, validator)
    extra = [key for key in document if key not in KEYS]
    if extra:
        raise InvalidInput(Fault(f"no other key beside {', '.join(map(repr, KEYS))}", listing(extra)))
    if "parameters" in document:
        document = {**document, **_parameters(document["parameters"])}
    asked = document.get("parse_text", parse_text)
    if type(asked) is not bool:
        raise InvalidInput(Fault("true or false for 'parse_text'", preview(asked)))
    return _listed(document["instances"], validator, asked), document.get("outputs")


def _listed(instances: "Any", validator: "Validator", parse_text: bool) -> "list[Any]":
    """Get instances of an array, or of an object with one array a column.

    :raises InvalidInput: they are neither, or the columns are not the features.
    """
    if isinstance(instances, dict) and any([isinstance(values, list) for values in instances.values()]):
        from flyweight.formats.columns import of_columns  # imported late: most requests hold instances one by one

        instances = of_columns(instances, validator)
    if not isinstance(instances, list):
        raise InvalidInput(Fault(EXPECTED, preview(instances)))
    return read_texts(instances, validator) if parse_text else instances


def _with_instances(document: "dict[str, Any]", validator: "Validator") -> "dict[str, Any]":
    """Find the instances where the document does not name them: `columns` and `data` of a table, or one instance alone.

    :raises InvalidInput: the document has neither instances nor a table, and one instance alone is not permitted.
    """
    if "instances" in document:
        return document
    if "columns" in document and "data" in document and not any([f.name in TABLE for f in validator.features]):
        from flyweight.formats.columns import of_rows

        rows = of_rows(document["columns"], document["data"], validator)
        return {"instances": rows, **{key: value for key, value in document.items() if key not in TABLE}}
    if validator.limits.any_body:
        return {"instances": [document]}
    hint = 'wrap the instance: {"instances": [{...}]}' if validator.features[0].name in document else None
    raise InvalidInput(Fault(EXPECTED, f"an object with the keys {listing([*document])}", hint=hint))


def _parameters(value: "Any") -> "dict[str, Any]":
    """Read `parameters`, under which some clients send all that is no instance: `outputs` and `parse_text`.

    :raises InvalidInput: no object, or another key.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not {*value} <= {"outputs", "parse_text"}:
        actual = listing([*value]) if isinstance(value, dict) else preview(value)
        raise InvalidInput(Fault("an object with 'outputs' or 'parse_text' for 'parameters'", actual))
    return value


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


def writer(
    fields: "list[tuple[int, str]]", classes: "list[Any] | None", model: "dict[str, str]"
) -> "Callable[[Prediction], bytes]":
    """Make what writes predictions as `write` does; classes and model, the same in each, are written once.

    :param fields: as `Predictor.usual_fields`.
    """
    names, end = [FIELDS[position] for position, _ in fields], _end(classes, model)
    return lambda prediction: strict_json.encode({name: getattr(prediction, name) for name in names})[:-1] + end


def row_writer(
    fields: "list[tuple[int, str]]", classes: "list[Any] | None", model: "dict[str, str]"
) -> "Callable[[list[list[Any]]], bytes] | None":
    """Make what writes the outputs of one instance as `write` does; None for a model whose outputs have other forms.

    :param fields: as `Predictor.usual_fields`.
    :returns: takes the outputs of `Predictor.compiled`; it raises ValueError where a number is not finite.
    """
    if not all([form for _, form in fields]):
        return None
    labels, end = [strict_json.encode(label).decode() for label in classes or []], _end(classes, model)
    forms = [(f'{"," if place else "{"}"{FIELDS[position]}":', form) for place, (position, form) in enumerate(fields)]

    def write_row(outputs: "list[list[Any]]") -> bytes:
        text = ""
        for (name, form), values in zip(forms, outputs):  # noqa: B905 - strict=True takes longer
            if form == "label":
                text += f"{name}[{labels[int(values[0])]}]"
            else:
                text += name + strict_json.dumps([values] if form == "row" else values)
        return text.encode("utf-8", "replace") + end

    return write_row


def _end(classes: "list[Any] | None", model: "dict[str, str]") -> bytes:
    """Write what follows the predictions in an answer."""
    return b"," + strict_json.encode({"model": model} if classes is None else {"classes": classes, "model": model})[1:]


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

"""Score records: parse each body, predict all valid ones together, and fail bad ones alone."""

from flyweight import strict_json
from flyweight.errors import INPUT_ERRORS, InvalidInput, MalformedRequest
from flyweight.formats import RECORD_PARSERS, parse
from flyweight.formats.json import FIELDS, record_instances_of
from flyweight.models.isolation import GroupFault, judge
from flyweight.records import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.models.isolation import Answers
    from flyweight.predictor import Predictor
    from flyweight.records import Record

    Member = tuple[int, Record, Any]  # a record's index, the record, its instances

TOGETHER = 256  # bodies for one call of the parser; after a bad one each of them is parsed alone
ALWAYS_JSON = ("application/json",)
JSON = ("", *ALWAYS_JSON)  # unless the settings name another default


def score(predictor: "Predictor", records: "Sequence[Record]") -> "list[Outcome]":
    """Score records; those that ask for the same outputs are predicted together.

    :returns: one outcome a record, in their order. The answer of a scored record is what HTTP answers to its body, and its id.
    """
    outcomes: list[Any] = [None] * len(records)
    by_outputs: dict[str, tuple[Any, list[Member]]] = {}
    unread: list[GroupFault] = []
    for place, (record, parsed) in enumerate(zip(records, _parse(predictor, records), strict=True)):
        if type(parsed) is not tuple:
            unread.append(GroupFault(place, parsed, isinstance(parsed, INPUT_ERRORS)))
            continue
        instances, outputs = parsed
        if not isinstance(instances, list):
            instances = [instances]
        try:
            words = "" if outputs is None else repr(outputs)
        except RecursionError:
            unread.append(GroupFault(place, MalformedRequest("the body's 'outputs' are nested too deeply"), True))
            continue
        _, members = by_outputs.setdefault(words, (outputs, []))
        members.append((place, record, instances))
    for fault in judge(predictor, unread):
        outcomes[fault.group] = Outcome(records[fault.group], None, fault.error, fault.final)
    for outputs, members in by_outputs.values():
        _predict(predictor, members, outputs, outcomes)
    return outcomes


def _parse(predictor: "Predictor", records: "Sequence[Record]") -> "list[Any]":
    """Parse the body of each record.

    :returns: for each record its instances and outputs, or the error that its body raises.
    """
    results: list[Any] = []
    for begin in range(0, len(records), TOGETHER):
        part = records[begin : begin + TOGETHER]
        results += _parse_together(predictor, part) or [_parse_alone(predictor, record) for record in part]
    return results


def _parse_together(predictor: "Predictor", records: "Sequence[Record]") -> "list[Any] | None":
    """Parse JSON bodies by one call; None if one of them must be parsed alone."""
    types = ALWAYS_JSON if predictor.validator.limits.content_type else JSON
    if not all([record.content_type in types and record.fault is None for record in records]):
        return None
    bodies = [record.body for record in records]
    documents = strict_json.parse_all(bodies) if max(map(len, bodies)) <= predictor.validator.limits.max_body_bytes else None
    if documents is None:
        return None
    plain = not predictor.validator.limits.parse_text
    return [(document, None) if plain and type(document) is list else _instances(document, predictor) for document in documents]


def _instances(document: "Any", predictor: "Predictor") -> "Any":
    """Get the instances and outputs of a JSON document, or the error that it raises."""
    try:
        return record_instances_of(document, predictor.validator)
    except InvalidInput as error:
        return error


def _parse_alone(predictor: "Predictor", record: "Record") -> "Any":
    """Parse one body: its instances and outputs, or the error that it raises."""
    if record.fault is not None:
        return record.fault
    try:
        return parse(record.body, record.content_type, predictor.validator, RECORD_PARSERS)
    except Exception as error:
        return error


def _predict(predictor: "Predictor", members: "list[Member]", outputs: "Any", outcomes: "list[Any]") -> None:
    """Predict the instances of all members together and fill in their outcomes."""
    instances = [instance for _, _, own in members for instance in own]
    answers, faults = predictor.predict_each(instances, outputs, sizes=[len(own) for _, _, own in members])
    for fault in faults:
        place, record, _ = members[fault.group]
        outcomes[place] = Outcome(record, None, fault.error, fault.final)
    model = {"name": predictor.name, "version": predictor.version}
    for part in answers:
        _distribute(part, members, model, outcomes)


def _distribute(part: "Answers", members: "list[Member]", model: "dict[str, str]", outcomes: "list[Any]") -> None:
    """Give each member its part of a prediction."""
    fields = [(name, values) for name, values in zip(FIELDS, part.prediction, strict=True) if values is not None]
    columns = [(name, values) for name, values in fields if name != "classes"]
    shared = {**{name: values for name, values in fields if name == "classes"}, "model": model}
    begin = 0
    make = Outcome._make  # twice as fast as a call with fields, and there is one a record
    for group, size in part.members:
        place, record, _ = members[group]
        end = begin + size
        answer = {"id": record.id}
        for name, values in columns:
            answer[name] = values[begin:end]
        answer.update(shared)
        outcomes[place] = make((record, answer, None, False))
        begin = end

"""Records to outcomes: each is parsed on its own, all that are valid are predicted at once, and what is bad fails alone."""

from flyweight.errors import FlyweightError, InvalidInput, MalformedRequest, TooLarge, UnsupportedMediaType
from flyweight.formats import LONE
from flyweight.formats.json import ANSWER
from flyweight.records import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.models.validation import Reader
    from flyweight.predictor import Predictor
    from flyweight.records import Record
    from flyweight.values import Prediction

    Rows = Any  # a list, or an array
    Member = tuple[int, Record, int]  # its place among the records, and how many rows are its

TOGETHER = 256  # bodies that one call of the parser takes, so that a bad one holds up no more of them
JSON = ("", "application/json")
REJECTS = (MalformedRequest, InvalidInput, TooLarge, UnsupportedMediaType)  # the record's own faults, which no retry mends


def score(predictor: "Predictor", records: "Sequence[Record]") -> "list[Outcome]":
    """The outcome of each record, in their order; a scored one's answer is what HTTP answers to its body, and its id.

    One predict takes the rows of all records that ask for the same outputs.
    """
    outcomes: list[Any] = [None] * len(records)
    groups: dict[str, tuple[Any, list[tuple[int, Record, Any]]]] = {}
    for place, (record, parsed) in enumerate(zip(records, _parsed(predictor.reader, records), strict=True)):
        if type(parsed) is not tuple:
            outcomes[place] = _refused(record, parsed)
            continue
        instances, asked = parsed
        name = "" if asked is None else repr(asked)
        if name not in groups:
            groups[name] = (asked, [])
        groups[name][1].append((place, record, instances))
    for asked, group in groups.values():
        rows, members = _read(predictor, group, outcomes)
        if members:
            _predict(predictor, rows, members, asked, outcomes)
    return _judged(predictor, outcomes)


def _parsed(reader: "Reader", records: "Sequence[Record]") -> "list[Any]":
    """The instances and the outputs asked for, of each record, or the error that its body makes."""
    found: list[Any] = []
    for begin in range(0, len(records), TOGETHER):
        part = records[begin : begin + TOGETHER]
        plain = all([record.media in JSON and record.fault is None for record in part])
        # where one of them is bad, each is read alone, and only the bad one fails
        whole = reader.parsed_together([record.body for record in part]) if plain else None
        found += [_alone(reader, record) for record in part] if whole is None else whole
    return found


def _alone(reader: "Reader", record: "Record") -> "Any":
    if record.fault is not None:
        return record.fault
    try:
        return reader.parsed(record.body, record.media or "application/json", LONE)
    except Exception as error:
        return error


def _refused(record: "Record", error: Exception) -> Outcome:
    return Outcome(record, None, error, isinstance(error, REJECTS))


def _read(predictor: "Predictor", group: "list[tuple[int, Record, Any]]", outcomes: "list[Any]") -> "tuple[Rows, list[Member]]":
    """The rows of all records that have what the signature asks for, and whose they are; the others get their outcomes."""
    reader = predictor.reader
    most = reader.most
    # all at once, as one array, where the engine likes that, and nothing is wrong with any of them; else one by one
    if all([type(instances) is list and 0 < len(instances) <= most for _, _, instances in group]):
        whole = [instance for _, _, instances in group for instance in instances]
        table = reader.table(whole)
        if table is not None:
            return table, [(place, record, len(instances)) for place, record, instances in group]
    rows: list[Any] = []
    members = []
    for place, record, instances in group:
        try:
            own = reader.rows(instances)
        except Exception as error:
            outcomes[place] = _refused(record, error)
        else:
            members.append((place, record, len(own)))
            rows += own if isinstance(own, list) else own.tolist()
    return rows, members


def _predict(predictor: "Predictor", rows: "Rows", members: "list[Member]", asked: "Any", outcomes: "list[Any]") -> None:
    """Give each member its outcome, by one predict for all; where that raises, by one for each half."""
    try:
        prediction = predictor.answer(rows, asked)
    except Exception as error:
        if len(members) == 1:
            outcomes[members[0][0]] = _refused(members[0][1], error)
            return
        half = len(members) // 2
        cut = sum([count for _, _, count in members[:half]])
        _predict(predictor, rows[:cut], members[:half], asked, outcomes)
        _predict(predictor, rows[cut:], members[half:], asked, outcomes)
    else:
        _share(prediction, members, {"name": predictor.name, "version": predictor.version}, outcomes)


def _share(prediction: "Prediction", members: "list[Member]", model: "dict[str, str]", outcomes: "list[Any]") -> None:
    """Each member's part of an answer to all."""
    told = [(name, values) for name, values in zip(ANSWER, prediction, strict=True) if values is not None]  # type: ignore[call-overload]
    lists = [(name, values) for name, values in told if name != "classes"]
    same = {**{name: values for name, values in told if name == "classes"}, "model": model}
    begin = 0
    made = Outcome._make  # type: ignore[attr-defined]  # twice as fast as a call with fields, and there is one a record
    for place, record, count in members:
        end = begin + count
        answer = {"id": record.id}
        for name, values in lists:
            answer[name] = values[begin:end]
        answer.update(same)
        outcomes[place] = made((record, answer, None, False))
        begin = end


def _judged(predictor: "Predictor", outcomes: "list[Outcome]") -> "list[Outcome]":
    """Whether an error that nobody foresaw is the record's fault: it is while the model's own sample answers as it should."""
    if not any([outcome.error is not None and not isinstance(outcome.error, FlyweightError) for outcome in outcomes]):
        return outcomes
    sound = _sound(predictor)
    return [
        outcome
        if outcome.error is None or isinstance(outcome.error, (FlyweightError, MemoryError, OSError))
        else Outcome(outcome.record, None, outcome.error, sound)
        for outcome in outcomes
    ]


def _sound(predictor: "Predictor") -> bool:
    try:
        return predictor.passes_self_test()
    except Exception:
        return False

"""Records to outcomes: each is read on its own, all that are valid are predicted at once, and what is bad fails alone."""

from flyweight.bodies import LONE
from flyweight.errors import FlyweightError, InvalidInput, MalformedRequest, TooLarge, UnsupportedMediaType
from flyweight.outputs import ANSWER
from flyweight.records import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flyweight.messages import Prediction
    from flyweight.predictor import Predictor
    from flyweight.records import Record

    Member = tuple[int, Record, list[list[Any]]]  # its place among the records, and its rows

REJECTS = (MalformedRequest, InvalidInput, TooLarge, UnsupportedMediaType)  # the record's own faults, which no retry mends


def score(predictor: "Predictor", records: "Sequence[Record]") -> "list[Outcome]":
    """The outcome of each record, in their order; a scored one's answer is what HTTP answers to its body, and its id.

    One predict takes the rows of all records that ask for the same outputs.
    """
    outcomes: list[Any] = [None] * len(records)
    groups: dict[str, tuple[Any, list[Member]]] = {}
    read = predictor.reader.read
    for place, record in enumerate(records):
        try:
            if record.fault is not None:
                raise record.fault
            rows, asked = read(record.body, record.media, LONE)
        except Exception as error:
            outcomes[place] = Outcome(record, None, error, isinstance(error, REJECTS))
            continue
        name = "" if asked is None else repr(asked)
        if name not in groups:
            groups[name] = (asked, [])
        groups[name][1].append((place, record, rows))
    for asked, members in groups.values():
        _predict(predictor, members, asked, outcomes)
    return _judged(predictor, outcomes)


def _predict(predictor: "Predictor", members: "list[Member]", asked: "Any", outcomes: "list[Any]") -> None:
    """Give each member its outcome, by one predict for all; where that raises, by one for each half."""
    try:
        prediction = predictor.answer(_rows(members), asked)
    except Exception as error:
        if len(members) == 1:
            place, record, _ = members[0]
            outcomes[place] = Outcome(record, None, error, isinstance(error, REJECTS))
            return
        half = len(members) // 2
        _predict(predictor, members[:half], asked, outcomes)
        _predict(predictor, members[half:], asked, outcomes)
    else:
        _share(prediction, members, {"name": predictor.name, "version": predictor.version}, outcomes)


def _rows(members: "list[Member]") -> "list[list[Any]]":
    if len(members) == 1:
        return members[0][2]
    return [row for _, _, rows in members for row in (rows.tolist() if hasattr(rows, "tolist") else rows)]


def _share(prediction: "Prediction", members: "list[Member]", model: "dict[str, str]", outcomes: "list[Any]") -> None:
    """Each member's part of an answer to all."""
    told = [(name, values) for name, values in zip(ANSWER, prediction, strict=True) if values is not None]  # type: ignore[call-overload]
    lists = [(name, values) for name, values in told if name != "classes"]
    same = {**{name: values for name, values in told if name == "classes"}, "model": model}
    begin = 0
    for place, record, rows in members:
        end = begin + len(rows)
        answer = {"id": record.id}
        for name, values in lists:
            answer[name] = values[begin:end]
        answer.update(same)
        outcomes[place] = Outcome(record, answer, None, False)
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
        return predictor.proves_itself()
    except Exception:
        return False

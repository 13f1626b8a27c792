"""A batch of a file's rows to the bytes of their answers and of the rows that are rejected, each with its line number."""

from itertools import chain

from flyweight.errors import FlyweightError, InvalidInput, problem
from flyweight.files.csv_numbers import suspects
from flyweight.files.lines import as_text
from flyweight.formats.json import ONE, json_bytes
from flyweight.records.scoring import REJECTS
from flyweight.serving.service import status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from flyweight.files.reader import Batch
    from flyweight.predictor import Predictor
    from flyweight.values import Prediction

    Answered = tuple[bytes, bytes, int, int]  # lines of answers, lines of rejected rows, how many of each

PLAIN = {float, int, bool, type(None)}  # what JSON writes without a comma or a bracket


def answered(predictor: "Predictor", batch: "Batch", form: str, header: bool) -> "Answered":
    """What a batch comes to, in the order of its lines; `header`: CSV's first line, if any row is answered, comes before."""
    places, rows, faults = _read(predictor, batch)
    answers = b""
    count = 0
    for some, prediction in _predicted(predictor, places, rows, faults):
        lines = [batch.lines[place] for place in some]
        answers += FORMS[form](prediction, lines, header and not count)
        count += len(lines)
    rejected: list[tuple[int, Exception, str]] = [*batch.faults]
    rejected += [(batch.lines[place], error, _text(batch, place)) for place, error in faults]
    rejected.sort(key=lambda fault: fault[0])
    return answers, b"".join([_rejected(*fault) for fault in rejected]), count, len(rejected)


def _read(predictor: "Predictor", batch: "Batch") -> "tuple[list[int], Any, list[tuple[int, Exception]]]":
    """The places of instances that are valid, their rows, and what is wrong with the others."""
    instances = batch.instances
    if not len(instances):
        return [], [], []
    if not isinstance(instances, list):
        table = None if batch.odd else predictor.reader.table(instances)
        if table is not None:
            return [*range(len(instances))], table, []
        if hasattr(instances, "dtype"):
            return _parted(predictor, instances, batch.odd)
        instances = instances.tolist()
    try:
        return [*range(len(instances))], predictor.reader.rows(instances), []
    except REJECTS:
        pass
    places: list[int] = []
    rows: Any = []
    faults: list[tuple[int, Exception]] = []
    for place, instance in enumerate(instances):
        try:
            rows += predictor.reader.rows([instance])
            places.append(place)
        except REJECTS as error:
            faults.append((place, error))
    if places:
        rows = predictor.reader.rows([instances[place] for place in places])  # as one array, where that is wanted
    return places, rows, faults


def _parted(
    predictor: "Predictor", table: "Any", odd: "Mapping[int, list[Any]]"
) -> "tuple[list[int], Any, list[tuple[int, Exception]]]":
    """As `_read`, of an array: rows that may be wrong are looked at one by one, the rest stays an array."""
    faults: list[tuple[int, Exception]] = []
    required = [not feature.nullable for feature in predictor.signature.features]
    for place in sorted({*suspects(table, required), *odd}):
        try:
            (table[place],) = predictor.reader.rows([odd.get(place) or table[place].tolist()])
        except REJECTS as error:
            faults.append((place, error))
    wrong = {place for place, _ in faults}
    places = [place for place in range(len(table)) if place not in wrong]
    if not places:
        return [], [], faults
    rows = table[places] if wrong else table
    whole = predictor.reader.table(rows)
    return places, predictor.reader.rows(rows.tolist()) if whole is None else whole, faults


def _predicted(
    predictor: "Predictor", places: "list[int]", rows: "Any", faults: "list[tuple[int, Exception]]"
) -> "Iterator[tuple[list[int], Prediction]]":
    """Predictions by one call for all; where that raises, by one for each half, until the bad rows are alone.

    :raises Exception: what nobody foresaw, if the model's own sample fails as well: then no row is to blame.
    """
    if not places:
        return
    try:
        prediction = predictor.answer(rows)
    except Exception as error:
        if isinstance(error, (MemoryError, OSError)) or (isinstance(error, FlyweightError) and not isinstance(error, REJECTS)):
            raise
        if len(places) == 1:
            if not isinstance(error, FlyweightError) and not predictor.passes_self_test():
                raise
            faults.append((places[0], error))
            return
        half = len(places) // 2
        yield from _predicted(predictor, places[:half], rows[:half], faults)
        yield from _predicted(predictor, places[half:], rows[half:], faults)
    else:
        yield places, prediction


def _json_lines(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    """A line of JSON a row: its line number, and what HTTP answers for it in this form."""
    named = [(ONE[name], values) for name, values in prediction._asdict().items() if name in ONE and values is not None]  # type: ignore[attr-defined]
    names = ["line", *[name for name, _ in named]]
    columns = [_texts(values) for _, values in named]
    if None in columns:
        answers = zip(lines, *[values for _, values in named], strict=True)
        return b"\n".join([*[json_bytes(dict(zip(names, answer, strict=True))) for answer in answers], b""])
    line = "{" + ",".join([f'"{name}":%s' for name in names]) + "}\n"
    return "".join([line % answer for answer in zip(lines, *columns, strict=True)]).encode()


def _texts(values: "list[Any]") -> "list[str] | None":
    """The JSON of each value of a column, cut out of that of all of them; None where values are not so plain."""
    kinds = {*map(type, values)}
    if kinds == {str}:
        known = {value: json_bytes(value).decode() for value in {*values}}  # labels are few
        return [known[value] for value in values]
    if kinds == {list}:
        plain = {*map(type, chain.from_iterable(values))} <= PLAIN
        return [f"[{text}]" for text in json_bytes(values).decode()[2:-2].split("],[")] if plain else None
    return json_bytes(values).decode()[1:-1].split(",") if kinds <= PLAIN else None


def _csv(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    from flyweight.formats.csv import answer

    return answer(prediction, lines, header).encode("utf-8", "replace")


def _rejected(line: int, error: Exception, text: str) -> bytes:
    """A line of JSON: where, what is wrong as a problem document, and what the row was."""
    if isinstance(error, InvalidInput):  # its place is the line, and not one among the instances of a request
        error = InvalidInput(*[fault._replace(instance=None) for fault in error.faults])  # type: ignore[attr-defined]
    told = problem(error, status_of(error), "")
    del told["request_id"]
    return json_bytes({"line": line, "problem": told, "row": text}) + b"\n"


def _text(batch: "Batch", place: int) -> str:
    if batch.texts:
        return as_text(batch.texts[place])
    try:
        return json_bytes(batch.instances[place]).decode()
    except (TypeError, ValueError):  # of a type that JSON does not have
        return repr(batch.instances[place])


FORMS: "dict[str, Callable[[Prediction, list[int], bool], bytes]]" = {"jsonl": _json_lines, "csv": _csv}

"""Score a batch of a file's rows and write the answers and the rejected rows, each with its line number."""

from itertools import chain

from flyweight import strict_json
from flyweight.errors import InvalidInput, problem
from flyweight.files.lines import as_text
from flyweight.formats.json import record_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.files.batches import Batch
    from flyweight.predictor import Predictor
    from flyweight.values import Prediction

    Results = tuple[bytes, bytes, int, int]  # lines of answers, lines of rejected rows, how many of each

PLAIN = {float, int, bool, type(None)}  # what JSON writes without a comma or a bracket


def score_batch(predictor: "Predictor", batch: "Batch", form: str, header: bool) -> "Results":
    """Score a batch, in the order of its lines.

    :param form: "jsonl" or "csv".
    :param header: whether CSV's header goes before the first answer.
    :raises Exception: an error that no row is to blame for.
    """
    parts, faults = predictor.predict_each(batch.instances, exceptions_by_row=batch.exceptions_by_row)
    for fault in faults:
        if not fault.final:
            raise fault.error
    answers, count = b"", 0
    for part in parts:
        lines = [batch.lines[row] for row, _ in part.members]
        answers += FORMS[form](part.prediction, lines, header and not count)
        count += len(lines)
    rejected: list[tuple[int, Exception, str]] = [*batch.faults]
    rejected += [(batch.lines[fault.group], fault.error, _text(batch, fault.group)) for fault in faults]
    rejected.sort(key=lambda fault: fault[0])
    return answers, b"".join([_rejected(*fault) for fault in rejected]), count, len(rejected)


def _json_lines(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    """A line of JSON a row: its line number, and what HTTP answers for it in this form."""
    named = record_columns(prediction)
    names = ["line", *[name for name, _ in named]]
    columns = [_texts(values) for _, values in named]
    if None in columns:
        answers = zip(lines, *[values for _, values in named], strict=True)
        return b"\n".join([*[strict_json.encode(dict(zip(names, answer, strict=True))) for answer in answers], b""])
    line = "{" + ",".join([f'"{name}":%s' for name in names]) + "}\n"
    return "".join([line % answer for answer in zip(lines, *columns, strict=True)]).encode()


def _texts(values: "list[Any]") -> "list[str] | None":
    """The JSON of each value of a column, cut out of that of all of them; None where values are not so plain."""
    kinds = {*map(type, values)}
    if kinds == {str}:
        known = {value: strict_json.encode(value).decode() for value in {*values}}  # labels are few
        return [known[value] for value in values]
    if kinds == {list}:
        plain = {*map(type, chain.from_iterable(values))} <= PLAIN
        return [f"[{text}]" for text in strict_json.encode(values).decode()[2:-2].split("],[")] if plain else None
    return strict_json.encode(values).decode()[1:-1].split(",") if kinds <= PLAIN else None


def _csv(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    from flyweight.formats.csv import write

    return write(prediction, lines, header).encode("utf-8", "replace")


def _rejected(line: int, error: Exception, text: str) -> bytes:
    """A line of JSON: where, what is wrong as a problem document, and what the row was."""
    if isinstance(error, InvalidInput):  # its place is the line, and not one among the instances of a request
        error = InvalidInput(*[fault._replace(instance=None) for fault in error.faults])
    document = problem(error, "")
    del document["request_id"]
    return strict_json.encode({"line": line, "problem": document, "row": text}) + b"\n"


def _text(batch: "Batch", place: int) -> str:
    if batch.texts:
        return as_text(batch.texts[place])
    try:
        return strict_json.encode(batch.instances[place]).decode()
    except (TypeError, ValueError):  # of a type that JSON does not have
        return repr(batch.instances[place])


FORMS: "dict[str, Callable[[Prediction, list[int], bool], bytes]]" = {"jsonl": _json_lines, "csv": _csv}

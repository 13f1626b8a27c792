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

    from flyweight.formats.batches import Batch
    from flyweight.predictor import Predictor
    from flyweight.values import Prediction

    Results = tuple[bytes, bytes, int, int]  # lines of answers, lines of rejected rows, the number of each

MAX_TEXT = 1000  # characters of a value that are kept in a rejected row of Parquet
PLAIN = {float, int, bool, type(None)}  # types that JSON writes without a comma or a bracket


def score_batch(predictor: "Predictor", batch: "Batch", file_format: str, header: bool) -> "Results":
    """Score a batch, in the order of its lines.

    :param file_format: of the answers, "jsonl" or "csv".
    :param header: whether CSV's header goes before the first answer.
    :raises Exception: an error that is not the fault of a row.
    """
    parts, faults = predictor.predict_each(batch.instances, exceptions_by_row=batch.exceptions_by_row)
    for fault in faults:
        if not fault.final:
            raise fault.error
    answers, count = b"", 0
    for part in parts:
        lines = [batch.lines[row] for row, _ in part.members]
        answers += WRITERS[file_format](part.prediction, lines, header and not count)
        count += len(lines)
    rejected: list[tuple[int, Exception, str]] = [*batch.faults]
    rejected += [(batch.lines[fault.group], fault.error, _text(batch, fault.group)) for fault in faults]
    rejected.sort(key=lambda fault: fault[0])
    return answers, b"".join([_rejected(*fault) for fault in rejected]), count, len(rejected)


def _json_lines(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    """Write one JSON object a row: its line number, and what HTTP answers for the row as NDJSON."""
    named = record_columns(prediction)
    names = ["line", *[name for name, _ in named]]
    columns = [_json_texts(values) for _, values in named]
    if None in columns:
        answers = zip(lines, *[values for _, values in named], strict=True)
        return b"\n".join([*[strict_json.encode(dict(zip(names, answer, strict=True))) for answer in answers], b""])
    line = "{" + ",".join([f'"{name}":%s' for name in names]) + "}\n"
    return "".join([line % answer for answer in zip(lines, *columns, strict=True)]).encode()


def _json_texts(values: "list[Any]") -> "list[str] | None":
    """Write the values of a column as JSON by one call; None if the result can't be split into values by its commas."""
    kinds = {*map(type, values)}
    if kinds == {str}:
        texts = {value: strict_json.encode(value).decode() for value in {*values}}  # labels are few
        return [texts[value] for value in values]
    if kinds == {list}:
        plain = {*map(type, chain.from_iterable(values))} <= PLAIN
        return [f"[{text}]" for text in strict_json.encode(values).decode()[2:-2].split("],[")] if plain else None
    return strict_json.encode(values).decode()[1:-1].split(",") if kinds <= PLAIN else None


def _csv(prediction: "Prediction", lines: "list[int]", header: bool) -> bytes:
    """Write one line of CSV a row."""
    from flyweight.formats.csv import write

    return write(prediction, lines, header).encode("utf-8", "replace")


def _rejected(line: int, error: Exception, text: str) -> bytes:
    """Write a rejected row as a line of JSON: its line number, the problem document, the row's text."""
    if isinstance(error, InvalidInput):  # a row is named by its line, not by its place among the instances of a request
        error = InvalidInput(*[fault._replace(instance=None) for fault in error.faults])
    document = problem(error, "")
    del document["request_id"]
    return strict_json.encode({"line": line, "problem": document, "row": text}) + b"\n"


def _text(batch: "Batch", row: int) -> str:
    """Get the text of a row of a batch; of a Parquet file its JSON."""
    if batch.texts:
        return as_text(batch.texts[row])
    instance = batch.instances[row]
    if isinstance(instance, list):  # one text of the file may be in many rows
        instance = [value[:MAX_TEXT] if isinstance(value, str) else value for value in instance]
    try:
        return strict_json.encode(instance).decode()
    except (TypeError, ValueError):  # a type that JSON does not have
        return repr(instance)


WRITERS: "dict[str, Callable[[Prediction, list[int], bool], bytes]]" = {"jsonl": _json_lines, "csv": _csv}

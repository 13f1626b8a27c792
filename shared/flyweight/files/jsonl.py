"""Read JSON Lines in batches."""

from flyweight.errors import FlyweightError
from flyweight.files.lines import Lines, as_text, check_size, decoded
from flyweight.formats.batches import Batch
from flyweight.formats.json import parse_strictly, read_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyweight.models.validation import Validator


def jsonl_batches(source: Lines, validator: "Validator", rows: int, size: int) -> "Iterator[Batch]":
    """Read batches of instances; empty lines are skipped.

    :param validator: of the model; its limits say whether strings are read as in CSV.
    :param rows: how many lines a batch has at most.
    :param size: how many bytes a batch has at most, not counting its last line.
    """
    while True:
        first = source.line
        lines = source.take(rows, size)
        if not lines:
            return
        batch = Batch([], [], [], [], {"offset": source.offset, "line": source.line}, {})
        for number, line in enumerate(lines, first):
            if not line or line.isspace():
                continue
            try:
                check_size(line)
                batch.instances.append(parse_strictly(decoded(line), f"line {number}"))
            except FlyweightError as error:
                batch.faults.append((number, error, as_text(line)))
            else:
                batch.lines.append(number)
                batch.texts.append(line)
        if validator.limits.parse_text:
            read_texts(batch.instances, validator)
        yield batch

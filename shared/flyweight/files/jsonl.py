"""Read JSON Lines in batches."""

from flyweight.errors import FlyweightError
from flyweight.files.batches import Batch
from flyweight.files.lines import Lines, as_text, check_size, decoded
from flyweight.formats.json import parse_strictly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def jsonl_batches(source: Lines, rows: int, size: int) -> "Iterator[Batch]":
    """Read batches of instances; empty lines are skipped.

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
        yield batch

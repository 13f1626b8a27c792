"""Read JSON Lines in batches."""

from flyweight.errors import FlyweightError
from flyweight.files.batches import Batch
from flyweight.files.lines import Lines, as_text, check_size, decoded
from flyweight.formats.json import parse_strictly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def jsonl_batches(lines: Lines, rows: int, size: int) -> "Iterator[Batch]":
    """Read batches of instances; empty lines are skipped.

    :param rows: how many lines a batch has at most.
    :param size: how many bytes a batch has at most, but for its last line.
    """
    while True:
        number = lines.line
        taken = lines.take(rows, size)
        if not taken:
            return
        batch = Batch([], [], [], [], {"offset": lines.offset, "line": lines.line}, {})
        for line, text in enumerate(taken, number):
            if not text or text.isspace():
                continue
            try:
                check_size(text)
                batch.instances.append(parse_strictly(decoded(text), f"line {line}"))
            except FlyweightError as error:
                batch.faults.append((line, error, as_text(text)))
            else:
                batch.lines.append(line)
                batch.texts.append(text)
        yield batch

"""`flyweight predict`: predict the rows of a CSV file of any length in bounded memory."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from flyweight.toolkit.cli import _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.predictor import Predictor

CHUNK = 4096  # rows at a time, the batch size of the numpy engine

EXAMPLES = """\b
Examples:
  flyweight predict penguins.safetensors rows.csv > answers.csv
  flyweight predict penguins.safetensors rows.csv --outputs predictions,scores
  zcat big.csv.gz | flyweight predict penguins.safetensors - -o answers.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("rows", type=click.Path(path_type=Path, allow_dash=True))
@click.option("-o", "--out", default="-", type=click.File("w", lazy=True), help="The file to write.  [default: standard output]")
@click.option("--outputs", help="The outputs to write, separated by commas.  [default: predictions and probabilities]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object per row instead of CSV.")
def command(model: Path, rows: Path, out: TextIO, outputs: str | None, as_json: bool) -> None:
    """Predict each row of a CSV file with MODEL.

    ROWS is a CSV file, or - for standard input. Its header names the model's features; other columns are ignored.
    """
    from flyweight.formats.csv import write
    from flyweight.formats.json import write_lines
    from flyweight.predictor import load

    names = None if outputs is None else outputs.split(",")
    predictor = load(str(model))
    size = rows.stat().st_size if str(rows) != "-" else 0
    with _opened(rows) as file, _show.progress(out.name != "<stdout>") as progress:
        first = True
        for start, instances in _chunks(file, predictor):
            prediction = predictor.answer(_checked(predictor, instances, start), names)
            if as_json:
                out.write(write_lines(prediction, {}).decode())
            else:
                header, body = write(prediction).split("\n", 1)
                out.write(f"{header}\n{body}" if first else body)
            first = False
            progress("predicting", file.buffer.tell() if size else start, size)


def _opened(rows: Path) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdin) if str(rows) == "-" else open(rows, encoding="utf-8-sig", newline="")


def _chunks(file: TextIO, predictor: Predictor) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield the rows in chunks, each with the number of its first row; texts are converted by the model's signature.

    :raises ToolkitError: a column is missing, or the text is not CSV.
    """
    from flyweight.formats.csv import value_of

    reader = csv.reader(file, strict=True)
    names = [name.strip() for name in next(reader, [])]
    kinds = {feature.name: feature.kind for feature in predictor.signature.features}
    absent = [name for name in kinds if name not in names]
    if absent:
        listed = ", ".join(map(repr, absent[:5]))
        raise ToolkitError(f"the CSV header has no column {listed}, which the model needs", "see `flyweight inspect MODEL`")
    places = {name: names.index(name) for name in kinds}
    start = 0
    try:
        while lines := list(islice((line for line in reader if line), CHUNK)):
            for number, line in enumerate(lines, start):
                if len(line) != len(names):
                    raise ToolkitError(f"row {number} has {len(line)} values, the CSV header has {len(names)}")
            yield start, [{name: value_of(line[place], kinds[name]) for name, place in places.items()} for line in lines]
            start += len(lines)
    except csv.Error as error:
        raise ToolkitError(f"after row {start}: not CSV: {error}") from None


def _checked(predictor: Predictor, instances: list[dict[str, Any]], start: int) -> list[list[Any]]:
    """Validate instances.

    :raises InvalidInput: a row does not fit the signature; the error gives its number in the file.
    """
    from flyweight.errors import InvalidInput

    try:
        return predictor.validator.rows(instances)
    except InvalidInput as error:
        faults = [fault._replace(instance=start + (fault.instance or 0)) for fault in error.faults]
        raise InvalidInput(*faults) from None

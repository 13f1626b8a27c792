"""`flyweight predict`: predict the rows of a file of any length in bounded memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from flyweight.errors import ModelRefused
from flyweight.toolkit.cli import _command, _own_code, _rows, _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.settings import Limits
    from flyweight.values import Prediction

EXAMPLES = """\b
Examples:
  flyweight predict penguins.safetensors rows.csv > answers.csv
  flyweight predict penguins.safetensors rows.parquet --outputs predictions,scores
  flyweight predict penguins.safetensors rows.jsonl.gz --json -o answers.jsonl
  cat rows.jsonl | flyweight predict penguins.safetensors - --format jsonl
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("rows", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o", "--out", default="-", type=click.File("w", "utf-8", lazy=True), help="The file to write.  [default: standard output]"
)
@click.option("--outputs", help="The outputs to write, separated by commas.  [default: predictions and probabilities]")
@click.option(
    "--format",
    "named",
    type=click.Choice(_rows.NAMES),
    help="The format of ROWS.  [default: what its name says; csv for standard input]",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "ignore"]),
    envvar="FLYWEIGHT_UNKNOWN_FEATURES",
    help="What to do with columns that are no feature of the model.  [default: what the model says, which is error for most]",
)
@click.option(
    "--parse-text",
    is_flag=True,
    envvar="FLYWEIGHT_PARSE_TEXT",
    help="Read the strings of JSON as those of CSV: '39.1' is a number.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object per row instead of CSV.")
@_own_code.options
def command(
    model: Path,
    rows: Path,
    out: TextIO,
    outputs: str | None,
    named: str | None,
    unknown: str | None,
    parse_text: bool,
    as_json: bool,
) -> None:
    """Predict each row of a table with MODEL.

    ROWS is a file, or - for standard input: CSV with a header, JSON lines, one JSON document, or Parquet; the texts also in .gz
    or .zst. It is read as a deployed function reads it: columns are found by name, in any order; one that is no feature of the
    model is an error, and one that the model never reads may be absent.
    """
    from flyweight.predictor import UNLIMITED

    limits = UNLIMITED._replace(unknown_features=unknown or "", parse_text=parse_text)
    predictor = _loaded(model, limits)
    names = None if outputs is None else [name.strip() for name in outputs.split(",")]
    with _show.progress(out.name != "<stdout>") as progress:
        table = _rows.Rows(rows, named, lambda done, size: progress("predicting", done, size))
        first = True
        for batch in table.batches(predictor.validator):
            answers, faults = predictor.predict_each(batch.instances, names, None, batch.exceptions_by_row)
            table.check(batch, faults)
            for answer in answers:
                out.write(_written(answer.prediction, as_json, first))
                first = False


def _loaded(model: Path, limits: Limits) -> Predictor:
    """Load a model file.

    :raises ToolkitError: the file is an estimator that is not packed yet; the next step is the command that packs it.
    :raises ModelRefused: the file is no model file, or fails a check.
    """
    from flyweight.predictor import load

    try:
        return load(str(model), limits)
    except (ModelRefused, IsADirectoryError):
        if not _is_estimator(model):
            raise
    packing = _command.line("flyweight", "pack", model, "-o", f"{model.stem}.safetensors")
    raise ToolkitError(
        f"{model} is an estimator that is not packed yet, and predict takes a model file",
        f"{packing} --sample ROWS, with rows that it was trained on; then predict with {model.stem}.safetensors",
    )


def _is_estimator(model: Path) -> bool:
    """Tell whether a file is what `flyweight pack` takes, without running anything in it."""
    from flyweight.toolkit.packing import estimator_files, pack_graph

    if pack_graph.is_graph(model):
        return True
    with suppress(ToolkitError, OSError):
        estimator_files.find(model)
        return True
    return False


def _written(prediction: Prediction, as_json: bool, first: bool) -> str:
    """Write answers as CSV, with a header before the first ones, or as JSON lines."""
    if as_json:
        from flyweight.formats.json import write_lines

        return write_lines(prediction, {}).decode()
    from flyweight.formats.csv import write

    return write(prediction, header=first)

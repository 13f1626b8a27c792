"""`flyweight predict`: predict the rows of files of any number and length in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from flyweight.errors import ModelRefused
from flyweight.toolkit.cli import _command, _files, _own_code, _rows, _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.settings import Limits
    from flyweight.values import Prediction

Loaded = TypeVar("Loaded")
EXAMPLES = """\b
Examples:
  flyweight predict penguins.safetensors rows.csv > answers.csv
  flyweight predict penguins.safetensors rows.parquet --outputs predictions,scores
  flyweight predict penguins.safetensors rows.jsonl.gz --json -o answers.jsonl
  cat rows.jsonl | flyweight predict penguins.safetensors - --format jsonl
  flyweight predict penguins.safetensors 'birds/day=*/*.parquet' -o answers/ --keep id
  flyweight predict penguins.safetensors s3://zoo/birds/ -o s3://zoo/answers --workers 8 --on-error column
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.argument("rows", nargs=-1, required=True)
@click.option("-o", "--out", default="-", help="The file or the folder to write.  [default: standard output]")
@click.option("--outputs", help="The outputs to write, separated by commas.  [default: predictions and probabilities]")
@click.option(
    "--format",
    "named",
    type=click.Choice(_rows.NAMES),
    help="The format of ROWS.  [default: what its name says; csv for standard input]",
)
@click.option("--delimiter", help="The delimiter of CSV in one file.  [default: a comma; a tab in a .tsv file]")
@click.option("--encoding", help="The encoding of the text of one file.  [default: UTF-8]")
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
@click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON object per row instead of CSV; into a folder, the report as JSON."
)
@click.option("--keep", help="Into a folder: the columns that the answers begin with, separated by commas.")
@click.option(
    "--on-error",
    type=click.Choice(["raise", "column"]),
    default="raise",
    show_default=True,
    help="Into a folder: a file with a row that can't be answered has no answers, or a column `error`.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Into a folder: how many processes.  [default: the cores]")
@_own_code.options
def command(
    model: str,
    rows: tuple[str, ...],
    out: str,
    outputs: str | None,
    named: str | None,
    delimiter: str | None,
    encoding: str | None,
    unknown: str | None,
    parse_text: bool,
    as_json: bool,
    keep: str | None,
    on_error: str,
    workers: int | None,
) -> None:
    """Predict each row of tables with MODEL.

    ROWS is a file, or - for standard input: CSV with a header, JSON lines, one JSON document, or Parquet; the texts also in .gz
    or .zst. It is read as a deployed function reads it: columns are found by name, in any order; one that is no feature of the
    model is an error, and one that the model never reads may be absent.

    Several files, folders, patterns with * and **, and addresses in stores (s3://, gs://, az://) are scored by several
    processes. The answers of each file have its path and its format below --out. A run that was killed is continued by the same
    command. Columns that are no features are ignored (docs/files.md).
    """
    names = _listed(outputs)
    if _files.several(rows, out):
        if named or delimiter or encoding or unknown == "error":
            step = "leave them out: the names of the files say the format"
            raise ToolkitError("--format, --delimiter, --encoding and --unknown error are for one file", step)
        from flyweight.arrow import loading
        from flyweight.jobs.scoring import Job

        root, sha256 = _files.root_of(out), _checked(model, rows, lambda: loading.load(model).file.sha256)
        job = Job(model, sha256, root, (*(_listed(keep) or ()),), names, on_error, parse_text)
        _files.score(job, rows, workers or 0, as_json)
        return
    if keep or workers or on_error != "raise":
        raise ToolkitError(
            "--keep, --on-error and --workers are for answers in a folder", "name it with a slash at its end: -o FOLDER/"
        )
    predictor = _checked(model, rows, lambda: _loaded(model, _limits(unknown, parse_text)))
    absent = [name for name in names or () if name not in predictor.output_names]
    if absent:
        raise ToolkitError(f"{model} has no output {absent[0]!r}", f"choose among {', '.join(predictor.output_names)}")
    with _show.progress(out != "-") as progress:
        advance = partial(progress, "predicting")
        table = _rows.Rows(Path(rows[0]), named, advance, delimiter=delimiter, encoding=encoding)
        _one_file(predictor, Path(rows[0]), table, out, names, as_json)


def _one_file(predictor: Predictor, rows: Path, table: _rows.Rows, out: str, names: list[str] | None, as_json: bool) -> None:
    """Predict the rows of one file.

    :raises ToolkitError: the answers would replace the rows, or their folder does not exist.
    """
    if not Path(out).parent.is_dir():
        step = "make it, or name another file for the answers: -o FILE"
        raise ToolkitError(f"the folder {Path(out).parent} does not exist", step)
    if os.path.exists(out) and rows.exists() and os.path.samefile(out, rows):
        raise ToolkitError(f"{out} has the rows, and the answers would replace them", "name another file: -o answers.csv")
    with click.open_file(out, "w", "utf-8", lazy=True) as file:
        first = True
        for batch in table.batches(predictor.validator):
            answers, faults = predictor.predict_each(batch.instances, names, None, batch.exceptions_by_row)
            table.check(batch, faults)
            for answer in answers:
                file.write(_written(answer.prediction, as_json, first))
                first = False


def _limits(unknown: str | None, parse_text: bool) -> Limits:
    from flyweight.predictor import UNLIMITED

    return UNLIMITED._replace(unknown_features=unknown or "", parse_text=parse_text)


def _listed(names: str | None) -> list[str] | None:
    """Split names at their commas."""
    return None if names is None else [name.strip() for name in names.split(",")]


def _loaded(model: str, limits: Limits) -> Predictor:
    from flyweight.toolkit.model_files import load

    return load(model, limits)


def _checked(model: str, rows: tuple[str, ...], load: Callable[[], Loaded]) -> Loaded:
    """Load a model file.

    :raises ToolkitError: the file is an estimator that is not packed yet, or the model stands behind the rows; the next step is
        the command that was meant.
    :raises ModelRefused: the file is no model file, or fails a check.
    """
    path = Path(model)
    try:
        return load()
    except (ModelRefused, IsADirectoryError):
        if rows[0].endswith(".safetensors") and not model.endswith(".safetensors"):
            step = _command.line("flyweight", "predict", rows[0], model)
            raise ToolkitError(f"{model} is no model file, and the model comes first", step) from None
        if not _is_estimator(path):
            raise
    packing = _command.line("flyweight", "pack", path, "-o", f"{path.stem}.safetensors")
    raise ToolkitError(
        f"{model} is an estimator that is not packed yet, and predict takes a model file",
        f"{packing} --sample ROWS, with rows that it was trained on; then predict with {path.stem}.safetensors",
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

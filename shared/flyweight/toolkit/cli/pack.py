"""`flyweight pack`: convert a fitted estimator to a model file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _show
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing.engines import makers

if TYPE_CHECKING:
    from flyweight.toolkit.packing.pack import Packed

EXAMPLES = """\b
Examples:
  flyweight pack model.joblib --sample rows.csv --name penguins --version 1.0.0 -o penguins.safetensors
  flyweight pack model.joblib --sample rows.csv --for batch
  flyweight pack model.onnx --sample rows_with_answers.csv
  flyweight pack --list
"""


def _list_classes(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from flyweight.toolkit.convert import public_names

        click.echo("\n".join(public_names()))
        ctx.exit()


@click.command(epilog=EXAMPLES)
@click.argument("estimator", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--sample",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A CSV file of rows that the estimator accepts.",
)
@click.option("--name", help="The model's name.  [default: the file's name]")
@click.option("--version", default="1.0.0", show_default=True, help="The model's version.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The model file to write.  [default: NAME.safetensors]")
@click.option(
    "--rows",
    default=2000,
    show_default=True,
    type=click.IntRange(1),
    help="Generated edge-case rows to compare, besides the sample.",
)
@click.option(
    "--tolerance", type=click.FloatRange(0, min_open=True), help="The largest difference to accept; recorded in the file."
)
@click.option("--engine", type=click.Choice([*makers()]), help="Use this engine only.")
@click.option(
    "--for",
    "purpose",
    default="cold",
    show_default=True,
    type=click.Choice(["cold", "batch"]),
    help="Choose the engine for the fastest start, or for the least measured time on many rows.",
)
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Store the estimator as a pickle, which is code, if no other engine can run it; see docs/engines.md.",
)
@click.option("--classes", help="The labels of a graph that does not contain them, in order, separated by commas.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_classes,
    help="List the estimators that can be packed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    estimator: Path,
    sample: Path | None,
    name: str | None,
    version: str,
    out: Path | None,
    rows: int,
    tolerance: float | None,
    engine: str | None,
    purpose: str,
    allow_pickle: bool,
    classes: str | None,
    as_json: bool,
) -> None:
    """Convert a fitted ESTIMATOR to one model file.

    The model file's answers are verified to equal the estimator's. ESTIMATOR is a joblib or pickle file, or a graph: .onnx or
    .tflite. Reading a pickle runs the code in it: pack only files that you made or trust. The model file contains no code, except
    with --allow-pickle.
    """
    from flyweight.toolkit.packing import pack, pack_graph

    name = name or estimator.stem
    table = _read_csv(sample) if sample else None
    shared: dict[str, Any] = {"sample": table, "name": name, "version": version, "tolerance": tolerance}
    out = out or Path(f"{name}.safetensors")
    if pack_graph.is_graph(estimator):
        if engine or allow_pickle or purpose != "cold":
            raise click.UsageError("a graph has only one engine: omit --engine, --for and --allow-pickle")
        with _show.progress(not as_json) as progress:
            packed = pack_graph.pack_graph(estimator, out, classes=_labels(classes), progress=progress, **shared)
    else:
        if classes:
            raise click.UsageError("--classes is only for graphs: an estimator contains its classes")
        fitted = _read(estimator, as_json)
        choice: dict[str, Any] = {"engine": engine, "purpose": purpose, "allow_pickle": allow_pickle or engine == "pickle"}
        with _show.progress(not as_json) as progress:
            packed = pack.pack(fitted, out, edge_count=rows, progress=progress, **choice, **shared)
    if as_json:
        return _show.document(_document(packed))
    _report(packed, has_sample=table is not None)


def _labels(classes: str | None) -> list[Any] | None:
    """Parse labels that are separated by commas; they become whole numbers if all of them are."""
    if classes is None:
        return None
    words = [word.strip() for word in classes.split(",")]
    return [int(word) for word in words] if all(word.lstrip("-").isdecimal() for word in words) else words


def _read(path: Path, quiet: bool) -> Any:
    """Load the estimator from a file: a booster's native format, which is data, or a pickle."""
    from flyweight.toolkit.packing import boosters

    if boosters.is_saved(path):
        return boosters.load(path)
    if not quiet:
        click.echo(f"reading {path}: this runs the code in it, so pack only files that you trust", err=True)
    return _load(path)


def _load(path: Path) -> Any:
    """Load an estimator.

    :raises ToolkitError: the file can't be read.
    """
    import joblib

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = joblib.load(path)
    except Exception as error:  # a pickle can raise anything
        message = f"{path} can't be read as a joblib file: {type(error).__name__}: {error}"
        raise ToolkitError(message, "install the packages that it needs, or dump the estimator again with joblib.dump") from None
    for warning in caught:
        if type(warning.message).__name__ == "InconsistentVersionWarning":
            versions = ("original_sklearn_version", "current_sklearn_version")
            theirs, ours = [getattr(warning.message, version, "?") for version in versions]
            click.echo(f"note: fitted with scikit-learn {theirs}, read with {ours}; parity is proved against {ours}", err=True)
            break
    return fitted


def _read_csv(path: Path) -> Any:
    """Read a table.

    :raises ToolkitError: the file is not CSV.
    """
    import pandas as pd

    try:
        return pd.read_csv(path)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise ToolkitError(f"{path} is not CSV: {error}", "give rows that the estimator accepts, under a header") from None


def _document(packed: Packed) -> dict[str, Any]:
    return {
        "path": str(packed.path),
        "name": packed.name,
        "version": packed.version,
        "engine": packed.engine,
        "bytes": len(packed.data),
        "sha256": packed.sha256,
        "steps": [{"path": step.path, "class": step.cls, "ops": step.ops} for step in packed.steps],
        "parity": packed.parity.document(),
        "skipped": packed.skipped,
        "requires": packed.requires,
        "types": packed.types,
        "narrowed": packed.narrowed,
        "timings": packed.timings,
        "seconds": round(packed.seconds, 3),
    }


def _report(packed: Packed, has_sample: bool) -> None:
    from flyweight.settings import permissions
    from flyweight.toolkit.packing.timing import ROWS

    if packed.steps:
        _show.columns(
            f"{packed.name} {packed.version}",
            ("step", "class", "ops"),
            [(step.path or "(itself)", step.cls, ", ".join(step.ops) or "-") for step in packed.steps],
        )
    timed = {name: f"{1000 * seconds:.1f} ms" for name, seconds in packed.timings.items()}
    looked_at = {packed.engine: "taken", **packed.skipped}
    if len(looked_at) > 1 or timed:
        header = ("engine", *([f"{ROWS:,} rows"] if timed else []), "why")
        rows = [(name, *([timed.get(name, "-")] if timed else []), why) for name, why in looked_at.items()]
        _show.columns("engines", header, rows)
    _show.table("proved" if packed.parity.bounds else "not proved", _proof(packed, has_sample))
    permitted = sorted({*packed.types} & {*permissions().trusted_types})
    if permitted:
        click.echo(f"note: the function must set FLYWEIGHT_TRUSTED_TYPES={','.join(permitted)}, as you did here", err=True)
    if packed.engine == "pickle":
        click.echo(
            "note: this file contains a pickle, which is code: it is refused unless FLYWEIGHT_ALLOW_PICKLE=1 is set", err=True
        )


def _proof(packed: Packed, has_sample: bool) -> dict[str, Any]:
    parity = packed.parity
    largest = ", ".join(f"{output} {apart:.2g} ({parity.bounds[output]})" for output, apart in parity.largest.items())
    labels = f"{parity.label_differences} different" + (f", {len(parity.ties)} inside the rounding" if parity.ties else "")
    sampled = f"{parity.rows_sample} of the sample" if has_sample else "no sample given"
    compared = f"{parity.rows_sample + parity.rows_edge} ({sampled}, {parity.rows_edge} edge cases)"
    return {
        "engine": packed.engine,
        "needs": ", ".join(f"{package} {version}" for package, version in packed.requires.items()) or None,
        "types": ", ".join(packed.types) or None,
        "narrowed": packed.narrowed,
        "rows compared": compared if parity.bounds else "none: the sample has no expected answers for the graph",
        "refused by both": parity.refused_alike or None,
        "labels": labels if "index" in parity.bounds else None,
        "largest difference": largest or None,
        "tolerance": parity.tolerance,
        "file": f"{packed.path}, {_show.size(len(packed.data))}",
        "sha256": packed.sha256,
        "took": f"{packed.seconds:.1f} s",
        "try it": f"flyweight serve {packed.path}",
    }

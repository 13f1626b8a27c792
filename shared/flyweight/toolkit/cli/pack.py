"""`flyweight pack`: convert a fitted estimator to a model file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.errors import FlyweightError
from flyweight.toolkit.cli import _command, _environment, _own_code, _show
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
@click.argument("estimator")
@click.option(
    "--sample",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of rows that the estimator accepts: CSV, JSON, NDJSON, Parquet, Feather or Arrow.",
)
@click.option(
    "--types",
    metavar="COLUMN=KIND,...",
    help="Kinds of columns that neither the estimator nor the sample tells: "
    "number, integer, boolean, string, category or datetime.",
)
@click.option("--delimiter", help="The delimiter of a CSV sample.  [default: a comma; a tab in a .tsv file]")
@click.option("--encoding", help="The encoding of a CSV or JSON sample.  [default: UTF-8]")
@click.option(
    "--unknown",
    default="error",
    show_default=True,
    type=click.Choice(["error", "ignore"]),
    help="What the model does with inputs that are no feature of it; recorded in the file.",
)
@click.option("--name", help="The model's name.  [default: the file's name]")
@click.option("--version", default="1.0.0", show_default=True, help="The model's version.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The model file to write.  [default: NAME.safetensors]")
@click.option(
    "--rows",
    type=click.IntRange(1),
    help="Generated edge-case rows to compare, besides the sample.  [default: 2000, fewer beyond 500 features]",
)
@click.option(
    "--budget",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds after which an engine is compared with no more edge-case rows; the report tells how many there were.",
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
@_environment.option
@_own_code.options
def command(
    estimator: str,
    sample: Path | None,
    types: str | None,
    delimiter: str | None,
    encoding: str | None,
    unknown: str,
    name: str | None,
    version: str,
    out: Path | None,
    rows: int | None,
    budget: float,
    tolerance: float | None,
    engine: str | None,
    purpose: str,
    allow_pickle: bool,
    classes: str | None,
    as_json: bool,
    environment: str,
) -> None:
    """Convert a fitted ESTIMATOR to one model file.

    The model file's answers are verified to equal the estimator's. ESTIMATOR is a joblib or pickle file, an archive of skops, a
    booster's own file, a model of MLflow (its folder, or models:/NAME/VERSION), or a graph: .onnx or .tflite. Reading a pickle
    runs the code in it: pack only files that you made or trust. The model file contains no code, except with --allow-pickle.
    """
    from flyweight.toolkit.packing import estimator_files, pack, pack_graph, tables

    path = Path(estimator)
    name = name or _name_of(estimator)
    table = tables.read_table(sample, delimiter=delimiter, encoding=encoding) if sample else None
    shared: dict[str, Any] = {"sample": table, "name": name, "version": version, "tolerance": tolerance}
    unnamed, out = out is None, out or Path(f"{name}.safetensors")
    if pack_graph.is_graph(path):
        if engine or allow_pickle or purpose != "cold":
            raise click.UsageError("a graph has only one engine: omit --engine, --for and --allow-pickle")
        if types:
            raise click.UsageError("a graph itself says what its inputs are: omit --types")
        if unnamed:
            _check_not_the_exported(path, out)
        with _show.progress(not as_json) as progress:
            labels = _labels(classes)
            packed = pack_graph.pack_graph(path, out, classes=labels, unknown=unknown, progress=progress, **shared)
    else:
        if classes:
            raise click.UsageError("--classes is only for graphs: an estimator contains its classes")
        file = estimator_files.find(estimator)
        choice: dict[str, Any] = {"fitted_with": _environment.pack_elsewhere(file, environment, as_json)}
        if file.runs_code and not as_json:
            click.echo(f"reading {file.path}: this runs the code in it, so pack only files that you trust", err=True)
        fitted = file.load()
        if table is None:
            shared["sample"] = table = file.sample
        choice |= {"engine": engine, "purpose": purpose, "allow_pickle": allow_pickle or engine == "pickle"}
        choice |= {"types": _types(types), "unknown": unknown}
        with _show.progress(not as_json) as progress:
            packed = pack.pack(fitted, out, edge_count=rows, budget=budget, progress=progress, **choice, **shared)
    if as_json:
        return _show.document(_document(packed))
    _report(packed, has_sample=table is not None)


def _check_not_the_exported(graph: Path, out: Path) -> None:
    """Check that a graph does not replace the model file that it may have been exported from, which has the same name.

    :raises ToolkitError: the file that would be written is a model of another engine.
    """
    from flyweight.toolkit import model_files
    from flyweight.toolkit.packing.engines import graph_formats

    try:
        engine = model_files.read(str(out)).document["engines"][0]
    except (FlyweightError, OSError):  # there is no such model yet
        return
    if engine != graph_formats()[graph.suffix].engine:
        step = f"name another file: flyweight pack {graph} -o graph.safetensors"
        raise ToolkitError(f"{out} is a model of the engine {engine}, which this graph would replace", step)


def _types(pairs: str | None) -> dict[str, str]:
    """Parse the kinds of columns, pairs of a name and a kind that are separated by commas.

    :raises BadParameter: a pair has no kind.
    """
    parted = [pair.rpartition("=") for pair in (pairs or "").split(",") if pair.strip()]
    wrong = [kind for name, _, kind in parted if not name]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} names no kind; write it like --types {wrong[0]}=string", param_hint="--types")
    return {name.strip(): kind.strip() for name, _, kind in parted}


def _labels(classes: str | None) -> list[Any] | None:
    """Parse labels that are separated by commas; they become whole numbers if all of them are."""
    if classes is None:
        return None
    words = [word.strip() for word in classes.split(",")]
    return [int(word) for word in words] if all(word.lstrip("-").isdecimal() for word in words) else words


def _name_of(estimator: str) -> str:
    """Name a model after its file, its folder, or its name in a registry, as in `models:/NAME/VERSION`."""
    parts = re.fullmatch(r"(?:models|runs):/+([^/@]+).*", estimator)
    return parts[1] if parts else Path(os.path.abspath(estimator)).stem  # `resolve` would raise at a link to itself


def _document(packed: Packed) -> dict[str, Any]:
    return {
        "path": str(packed.path),
        "name": packed.name,
        "version": packed.version,
        "engine": packed.engine,
        "bytes": len(packed.data),
        "sha256": packed.sha256,
        "steps": [{"path": step.path, "class": step.cls, "ops": step.ops} for step in packed.steps],
        "parity": {**packed.parity.document(), "read_back": packed.read_back},
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


def _read_back(packed: Packed) -> str | None:
    """Tell which forms of the sample's file the model's own readers read without a difference."""
    if not packed.read_back:
        return None
    rows = max(packed.read_back.values())
    notes = "".join(f"; {note}" for note in packed.unread)
    return f"{rows} rows from {', '.join(packed.read_back)}: 0 different{notes}"


def _proof(packed: Packed, has_sample: bool) -> dict[str, Any]:
    parity = packed.parity
    largest = ", ".join(f"{output} {apart:.2g} ({parity.bounds[output]})" for output, apart in parity.largest.items())
    labels = f"{parity.label_differences} different" + (f", {len(parity.ties)} inside the rounding" if parity.ties else "")
    sampled = f"{parity.rows_sample} of the sample" if has_sample else "no sample given"
    made = f" of {parity.rows_made}, then the time was up (--budget)" if parity.rows_edge < parity.rows_made else ""
    compared = f"{parity.rows_sample + parity.rows_edge} ({sampled}, {parity.rows_edge} edge cases{made})"
    return {
        "engine": packed.engine,
        "needs": ", ".join(f"{package} {version}" for package, version in packed.requires.items()) or None,
        "types": ", ".join(packed.types) or None,
        "narrowed": packed.narrowed,
        "rows compared": compared if parity.bounds else "none: the sample has no expected answers for the graph",
        "refused by both": parity.refused_alike or None,
        "refused by your steps": parity.refused_by_step or None,
        "labels": labels if "index" in parity.bounds else None,
        "read back": _read_back(packed),
        "largest difference": largest or None,
        "tolerance": parity.tolerance,
        "file": f"{packed.path}, {_show.size(len(packed.data))}",
        "sha256": packed.sha256,
        "took": f"{packed.seconds:.1f} s",
        "try it": _command.loading("flyweight", "serve", packed.path),
    }

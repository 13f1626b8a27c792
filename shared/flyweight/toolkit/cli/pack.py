"""`flyweight pack`: a fitted estimator to a model file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _show

if TYPE_CHECKING:
    from flyweight.toolkit.pack import Packed

EXAMPLES = """\b
Examples:
  flyweight pack model.joblib --sample rows.csv --name penguins --version 1.0.0 -o penguins.safetensors
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
    "--sample", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Rows as the estimator takes them, CSV."
)
@click.option("--name", help="The model's name.  [default: the file's]")
@click.option("--version", default="1.0.0", show_default=True, help="The model's version.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The model file to write.  [default: NAME.safetensors]")
@click.option(
    "--rows", default=2000, show_default=True, type=click.IntRange(1), help="Rows to make and compare beside the sample."
)
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="Accept differences up to this; the file records it.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_classes, help="Show what can be packed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    estimator: Path,
    sample: Path | None,
    name: str | None,
    version: str,
    out: Path | None,
    rows: int,
    tolerance: float | None,
    as_json: bool,
) -> None:
    """Convert a fitted ESTIMATOR (a joblib or pickle file), prove that the result answers as it does, write one model file.

    Reading such a file runs whatever code is in it: pack only files that you made or trust. The model file that comes out
    holds no code.
    """
    from flyweight.toolkit.pack import pack

    if not as_json:
        click.echo(f"reading {estimator}: this runs the code in it, so only ever pack files that you trust", err=True)
    fitted = _load(estimator)
    name = name or estimator.stem
    table = _read_csv(sample) if sample else None
    with _show.progress(not as_json) as progress:
        packed = pack(
            fitted,
            out or Path(f"{name}.safetensors"),
            sample=table,
            name=name,
            version=version,
            tolerance=tolerance,
            edge_count=rows,
            progress=progress,
        )
    if as_json:
        return _show.document(_document(packed))
    _report(packed, has_sample=table is not None)


def _load(path: Path) -> Any:
    import joblib

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = joblib.load(path)
    except Exception as error:  # a pickle can raise anything
        message = f"{path} can't be read as a joblib file: {type(error).__name__}: {error}"
        raise _show.Failed(message, "install what it needs, or dump the estimator again with joblib.dump") from None
    for warning in caught:
        if type(warning.message).__name__ == "InconsistentVersionWarning":
            versions = ("original_sklearn_version", "current_sklearn_version")
            theirs, ours = [getattr(warning.message, version, "?") for version in versions]
            click.echo(
                f"note: fitted with scikit-learn {theirs}, read with {ours}; parity is proved against the latter", err=True
            )
            break
    return fitted


def _read_csv(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise _show.Failed(f"{path} is not CSV: {error}", "give rows as the estimator takes them, under a header") from None


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
        "seconds": round(packed.seconds, 3),
    }


def _report(packed: Packed, has_sample: bool) -> None:
    parity = packed.parity
    _show.columns(
        f"{packed.name} {packed.version}",
        ("step", "class", "ops"),
        [(step.path or "(itself)", step.cls, ", ".join(step.ops) or "-") for step in packed.steps],
    )
    largest = ", ".join(f"{output} {apart:.2g} ({parity.bounds[output]})" for output, apart in parity.largest.items())
    labels = f"{parity.label_differences} different" + (f", {len(parity.ties)} inside the rounding" if parity.ties else "")
    sampled = f"{parity.rows_sample} of the sample" if has_sample else "no sample given"
    _show.table(
        "proved against the estimator",
        {
            "engine": packed.engine,
            "rows compared": f"{parity.rows_sample + parity.rows_edge} ({sampled}, {parity.rows_edge} made to break it)",
            "refused by both": parity.refused_alike or None,
            "labels": labels if "index" in parity.bounds else None,
            "largest difference": largest or None,
            "tolerance": parity.tolerance,
            "file": f"{packed.path}, {_show.size(len(packed.data))}",
            "sha256": packed.sha256,
            "took": f"{packed.seconds:.1f} s",
            "try it": f"flyweight serve {packed.path}",
        },
    )

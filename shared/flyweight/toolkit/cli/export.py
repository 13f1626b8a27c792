"""`flyweight export`: write a model for another runtime, with the proof that it answers the same."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _own_code, _show
from flyweight.toolkit.exporting import forms

EXAMPLES = """\b
Examples:
  flyweight export penguins.safetensors --to onnx -o penguins.onnx
  flyweight export penguins.safetensors --to c -o penguins.h
  flyweight export network.safetensors --to litert -o network.tflite --tolerance 1e-5
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "form", required=True, type=click.Choice(forms()), help="The form to export to.")
@click.option("-o", "--out", "path", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Accept differences up to this, relative to the size of the summed terms, and labels that differ within it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the proof as JSON.")
@_own_code.options
def command(model: Path, form: str, path: Path, tolerance: float | None, as_json: bool) -> None:
    """Export MODEL to a file that another runtime runs.

    The export is made from the model's plan. It is run in its runtime on the model's sample and on rows made to find differences,
    and is written only if it answers as the model does. The differences are printed, and stand in the file.
    """
    from flyweight.toolkit.exporting.export import export

    exported = export(model, form, path, tolerance=tolerance)
    if as_json:
        return _show.document(exported.document())
    proof = exported.proof
    rows = [
        (name, str(own.rows), str(own.differing), "" if name == "index" else f"{own.largest:.2g}", _bound(own.bound))
        for name, own in proof.outputs.items()
    ]
    header = ("output", "rows", "rows that differ", "largest difference", "allowed")
    _show.columns(f"{exported.model} in {proof.runtime}, compared with the model", header, rows)
    _show.table(
        "",
        {
            **{file: _show.size(size) for file, size in exported.files.items()},
            "rows compared": f"{proof.rows_sample} of the sample, {proof.rows_made} edge cases",
            "labels decided by rounding": str(proof.ties) if proof.ties else None,
            "refused by both": str(proof.refused_alike) if proof.refused_alike else None,
            "answered, though the model refuses them": str(proof.answered) if proof.answered else None,
        },
    )


def _bound(bound: float) -> str:
    return f"{bound:g} of scale" if bound else "none"

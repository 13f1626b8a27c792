"""`flyweight build`: a model file to the folder that a provider's own tool deploys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit import resources
from flyweight.toolkit.cli import _show

if TYPE_CHECKING:
    from flyweight.toolkit.build import Built


EXAMPLES = """\b
Examples:
  flyweight build aws --model penguins.safetensors -o build/aws
  flyweight build aws --model s3://bucket/models/penguins@prod -o build/aws
"""


@click.command(epilog=EXAMPLES)
@click.argument("provider", type=click.Choice(resources.providers()))
@click.option("--model", required=True, help="The model file to ship, or an address in a store, where it stays.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The folder to make.  [default: build/PROVIDER]")
@click.option("--python", default="3.13", show_default=True, help="The Python that the function will run on.")
@click.option("--no-bytecode", is_flag=True, help="Ship no bytecode; each cold start then compiles anew.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def command(provider: str, model: str, out: Path | None, python: str, no_bytecode: bool, as_json: bool) -> None:
    """Make the folder that PROVIDER's own tool deploys as it is, with the model in it, or the address where it is.

    A folder that an earlier build made is replaced, any other is left alone.
    """
    from flyweight.toolkit.build import build
    from flyweight.toolkit.build.folder import document

    built = build(provider, model, out or Path("build") / provider, python=python, with_bytecode=not no_bytecode)
    if as_json:
        return _show.document(document(built))
    rows = {
        "model": f"{built.model} {built.version}",
        "sha256": built.sha256,
        "bytecode": f"Python {built.python}" if built.python else "none",
        "needs": ", ".join(built.requires) or None,
        "install": _install(built) if built.requires else None,
        "files": f"{built.files}, {_show.size(built.size)}",
        "try it": f"flyweight invoke {provider} --folder {built.folder} --event predict",
    }
    _show.table(str(built.folder), rows)


def _install(built: Built) -> str:
    """How what the engine or the store needs comes to lie in the folder, for a provider that installs nothing by itself."""
    command = f"pip install -r {built.folder}/requirements.txt --target {built.folder}"
    return f"{command}   (with the function's Python, on its system; not where the provider installs)"

"""`flyweight new`: create a project for a model file, and upgrade it later."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from flyweight.toolkit.cli import _own_code, _show, _target
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight new penguins --model penguins.safetensors
  flyweight new penguins --model penguins.safetensors --target aws --target gcp
  flyweight new shop --model shop.safetensors --steps flyweight_steps.py
  flyweight new shop --model shop.safetensors --framework fastapi
  flyweight new example
  flyweight new --upgrade penguins
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--model", help="The model file.  [default: an example that is trained now]")
@_target.option
@click.option("--framework", metavar="NAME", default="", help="An application of this web framework instead of functions.")
@click.option("--upgrade", "upgrading", is_flag=True, help="Upgrade the project in DIR; files that you changed are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@_own_code.options
def command(folder: Path, model: str | None, chosen: tuple[Target, ...], framework: str, upgrading: bool, as_json: bool) -> None:
    """Create a project in DIR for a model file.

    The project contains handlers, infrastructure, events, tests that pass, pyproject.toml and README.md; with --framework
    fastapi, flask or django an application, its tests, requirements.txt and README.md. With --upgrade, files that you did not
    change are replaced by this flyweight's; a file that you changed is kept, and its new version is written as FILE.new.
    """
    from flyweight.toolkit.scaffold import create, upgrade

    if upgrading and (model or chosen or framework):
        words = "--upgrade uses the model and the targets of the existing project; omit --model, --target and --framework"
        raise click.UsageError(words)
    if framework and chosen:
        raise click.UsageError("an application of a web framework has no targets; omit --target or --framework")
    if model is not None and "://" in model:
        raise ToolkitError("a project needs a model file, but this is an address", f"first run: flyweight pull {model} -o FILE")
    changes = (
        upgrade(folder)
        if upgrading
        else create(folder, None if model is None else Path(model), tuple(target.name for target in chosen), framework)
    )
    if as_json:
        return _show.document(asdict(changes))
    merge = f"compare each FILE.new in {folder} with your file, and merge the changes that you want"
    rows = {
        "written": len(changes.written),
        "as they were": len(changes.unchanged) or None,
        "removed, of no use now": ", ".join(changes.removed) or None,
        "kept, changed by you": ", ".join(changes.kept) or None,
        "new version beside": ", ".join(f"{name}.new" for name in changes.beside) or None,
        "next": merge if changes.beside else f"follow {folder / 'README.md'}",
    }
    _show.table(str(folder), rows)

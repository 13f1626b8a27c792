"""`flyweight new`: a model file to a user's own project around it, and later the project brought up to date."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from flyweight.toolkit.cli import _show, _target
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets import Target

EXAMPLES = """\b
Examples:
  flyweight new penguins --model penguins.safetensors
  flyweight new penguins --model penguins.safetensors --target aws --target gcp
  flyweight --steps flyweight_steps.py new shop --model shop.safetensors
  flyweight new example
  flyweight new --upgrade penguins
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--model", help="The model file.  [default: an example, trained for it]")
@_target.option
@click.option("--upgrade", "upgrading", is_flag=True, help="Bring DIR up to date; what you changed is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(folder: Path, model: str | None, chosen: tuple[Target, ...], upgrading: bool, as_json: bool) -> None:
    """Make a project in DIR around a model file: handlers, infrastructure, events, tests that pass, pyproject and README.

    With --upgrade, files that are as they were written are replaced by this flyweight's; a file that you changed is kept, and its
    new version is written beside it as FILE.new.
    """
    from flyweight.toolkit.scaffold import create, upgrade

    if upgrading and (model or chosen):
        raise click.UsageError("--upgrade takes the model and the targets that DIR was made with")
    if model is not None and "://" in model:
        raise ToolkitError(
            "a project is made around a model file, and this is an address", f"flyweight pull {model} -o FILE, first"
        )
    changes = (
        upgrade(folder)
        if upgrading
        else create(folder, None if model is None else Path(model), tuple(target.name for target in chosen))
    )
    if as_json:
        return _show.document(asdict(changes))
    merge = f"compare each FILE.new and merge what you want of it, in {folder}"
    rows = {
        "written": len(changes.written),
        "as they were": len(changes.unchanged) or None,
        "removed, of no use now": ", ".join(changes.removed) or None,
        "kept, changed by you": ", ".join(changes.kept) or None,
        "new version beside": ", ".join(f"{name}.new" for name in changes.beside) or None,
        "next": merge if changes.beside else f"do what {folder / 'README.md'} says, there",
    }
    _show.table(str(folder), rows)

"""`flyweight build`: a model file to the folder that a target's own tool deploys, or a zip, a layer or an image's context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit.cli import _show, _target
from flyweight.toolkit.targets import Target
from flyweight.toolkit.targets.package import MACHINES

if TYPE_CHECKING:
    from flyweight.toolkit.building import Built


EXAMPLES = """\b
Examples:
  flyweight build aws --model penguins.safetensors -o build/aws
  flyweight build aws --model s3://bucket/models/penguins@prod -o build/aws
  flyweight build aws --model forest.safetensors --arch x86_64 --python 3.13 --as zip
  flyweight build azure --model penguins.safetensors --json
"""
PYTHONS, FORMS = ("3.11", "3.12", "3.13", "3.14"), ("folder", "zip", "layer", "image")  # as building/spec.py has them


@click.command(epilog=EXAMPLES)
@_target.argument
@click.option("--model", required=True, help="The model file to ship, or an address in a store, where it stays.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The folder to make.  [default: build/TARGET]")
@click.option("--python", default="3.13", show_default=True, type=click.Choice(PYTHONS), help="The function's Python.")
@click.option("--arch", type=click.Choice([*MACHINES]), help="The function's processor.  [default: the target's first]")
@click.option("--as", "form", default="folder", show_default=True, type=click.Choice(FORMS), help="What to make of it.")
@click.option("--install/--no-install", default=True, show_default=True, help="Put what the engine needs into the folder.")
@click.option(
    "--constraint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Versions that packages keep to, such as the DIR.lock.txt of an earlier build.",
)
@click.option("--handler", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A handler's folder of your own.")
@click.option("--every-op", is_flag=True, help="Ship ops of other models too, for models that are read from elsewhere.")
@click.option("--key", "keys", multiple=True, help="A public key that has to have signed the model; or several.")
@click.option("--no-bytecode", is_flag=True, help="Ship no bytecode; each cold start then compiles anew.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def command(
    target: Target,
    model: str,
    out: Path | None,
    python: str,
    arch: str | None,
    form: str,
    install: bool,
    constraint: Path | None,
    handler: Path | None,
    every_op: bool,
    keys: tuple[str, ...],
    no_bytecode: bool,
    as_json: bool,
) -> None:
    """Make the folder that TARGET's own tool deploys as it is, with the model in it, or the address where it is.

    A pure model needs nothing installed. For others, wheels of TARGET's system are found from any machine, trimmed, compiled,
    and the model's own sample is answered among them, where this machine is of that kind. A zip or a layer lies beside the
    folder, as do a list of its parts (DIR.cdx.json) and of the packages' versions and hashes (DIR.lock.txt, for --constraint).
    A folder that an earlier build made is replaced, any other is left alone.
    """
    from flyweight.toolkit.building import build
    from flyweight.toolkit.building.folder import document

    with _show.progress(not as_json) as advance:
        built = build(
            target.name,
            model,
            out or Path("build") / target.name,
            python=python,
            with_bytecode=not no_bytecode,
            arch=arch,
            form=form,
            install=install,
            constraint=constraint,
            handler=handler,
            every_op=every_op,
            keys=keys,
            advance=advance,
        )
    if as_json:
        return _show.document(document(built))
    _report(built, wanted=not no_bytecode)


def _report(built: Built, wanted: bool) -> None:
    left = [name for name in built.requires if not built.packages]
    # what this machine can't run as it lies there
    foreign = built.form == "layer" or (built.shipped and not built.proof.proven)
    rows = {
        "model": f"{built.model} {built.version}",
        "sha256": built.sha256,
        "bytecode": f"Python {built.python}" if built.python else _without(built, wanted),
        "for": f"Python {built.runtime}" + (f", {built.arch}" if built.shipped else ", any processor"),
        "needs": ", ".join(built.requires) or None,
        "install": _install(built) if left else None,
        "files": f"{built.files}, {_show.size(built.size)}",
        "proven": built.proof.words if built.proof.proven else f"no: {built.proof.words}",
        "beside it": ", ".join(path.name for path in built.artifacts),
        "try it": None if foreign else f"flyweight invoke {built.target} --folder {built.folder} --event predict",
    }
    _show.table(str(built.folder), rows)
    if built.packages:
        ordered = sorted(built.packages, key=lambda package: -package.size)
        title = "packages" if built.shipped else "packages, which the provider installs"
        cells = [[package.name, package.version, str(_show.size(package.size))] for package in ordered]
        _show.columns(title, ["package", "version", "size"], cells)
    limits = [
        [row.limit, str(_show.size(row.size)), str(_show.size(row.allowed)), "fits" if row.fits else f"over: {row.next_step}"]
        for row in built.limits
    ]
    if limits:
        _show.columns("limits", ["limit", "here", "allowed", ""], limits)


def _without(built: Built, wanted: bool) -> str:
    """Why there is no bytecode."""
    absent = f": no Python {built.runtime} here (`uv python install {built.runtime}` gets it), each cold start compiles anew"
    return f"none{absent if wanted else ''}"


def _install(built: Built) -> str:
    """How what the engine or the store needs comes to lie in the folder, for a provider that installs nothing by itself."""
    command = f"pip install -r {built.folder}/requirements.txt --target {built.folder}"
    return f"{command}   (with the function's Python, on its system; not where the provider installs)"

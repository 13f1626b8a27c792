"""`flyweight build`: build a model file into a folder to deploy, a zip, a layer, an image or the context of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flyweight.toolkit.cli import _command, _own_code, _show, _target
from flyweight.toolkit.targets import Target, find
from flyweight.toolkit.targets.package import MACHINES

if TYPE_CHECKING:
    from flyweight.toolkit.building import Built


EXAMPLES = """\b
Examples:
  flyweight build aws --model penguins.safetensors -o build/aws
  flyweight build aws --model s3://bucket/models/penguins@prod -o build/aws
  flyweight build aws --model forest.safetensors --arch x86_64 --python 3.13 --as zip
  flyweight build docker --model forest.safetensors --as oci --base base.oci
  flyweight build azure --model penguins.safetensors --json
"""
PYTHONS, FORMS = ("3.11", "3.12", "3.13", "3.14"), ("folder", "zip", "layer", "image", "oci")  # the same as in building/spec.py


@click.command(epilog=EXAMPLES)
@_target.argument
@click.option("--model", required=True, help="A model file to include, or an address in a store to load it from.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The folder to build.  [default: build/TARGET]")
@click.option(
    "--python", default="3.13", show_default=True, type=click.Choice(PYTHONS), help="The Python version of the function."
)
@click.option("--arch", type=click.Choice([*MACHINES]), help="The processor of the function.  [default: the target's first]")
@click.option("--as", "form", default="folder", show_default=True, type=click.Choice(FORMS), help="The form of the build.")
@click.option("--base", default="", help="The image below: an OCI layout for --as oci, a reference for --as image.")
@click.option("--install/--no-install", default=True, show_default=True, help="Install the engine's packages into the folder.")
@click.option(
    "--constraint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Package versions to use, such as the DIR.lock.txt of an earlier build.",
)
@click.option("--handler", type=click.Path(path_type=Path, exists=True, file_okay=False), help="The folder of your own handler.")
@click.option("--every-op", is_flag=True, help="Include every op, for models that the function loads from elsewhere.")
@click.option("--key", "keys", multiple=True, help="A public key; the model must be signed by it. Several are alternatives.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    help="Include a protocol beside the target's own, such as open_inference; all for each. Several are possible.",
)
@click.option("--no-bytecode", is_flag=True, help="Omit bytecode; each cold start then compiles the sources.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@_own_code.options
def command(
    target: Target,
    model: str,
    out: Path | None,
    python: str,
    arch: str | None,
    form: str,
    base: str,
    install: bool,
    constraint: Path | None,
    handler: Path | None,
    every_op: bool,
    keys: tuple[str, ...],
    protocols: tuple[str, ...],
    no_bytecode: bool,
    as_json: bool,
) -> None:
    """Build the folder that TARGET's own tool deploys.

    The folder contains the model, or the model's address in a store. A pure model needs no packages. For other engines, wheels
    for TARGET's system are fetched on any machine, trimmed and compiled; if this machine has that system, the model is verified
    to answer its recorded sample with them. A zip, a layer or the OCI layout of an image (DIR.oci) is written next to the folder,
    with a list of the parts (DIR.cdx.json) and the versions and hashes of the packages (DIR.lock.txt, for --constraint). A folder
    of an earlier build is replaced; any other existing folder is an error.
    """
    from flyweight.toolkit.building.folder import document
    from flyweight.toolkit.verbs import build

    with _show.progress(not as_json) as advance:
        built = build(
            target.name,
            model,
            out,
            python=python,
            with_bytecode=not no_bytecode,
            arch=arch,
            form=form,
            install=install,
            constraint=constraint,
            handler=handler,
            every_op=every_op,
            keys=keys,
            protocols=protocols,
            base=base,
            progress=advance,
        )
    if as_json:
        return _show.document(document(built))
    _report(built, with_bytecode=not no_bytecode)


def _report(built: Built, with_bytecode: bool) -> None:
    left = [name for name in built.requires if not built.packages]
    # builds that this machine can't run
    foreign = built.form == "layer" or (built.shipped and not built.proof.proven)
    rows = {
        "model": f"{built.model} {built.version}",
        "sha256": built.sha256,
        "bytecode": f"Python {built.python}" if built.python else _without(built, with_bytecode),
        "for": _python(built) + (f", {built.arch}" if built.shipped else ", any processor"),
        "needs": ", ".join(built.requires) or None,
        "install": _install(built) if left else None,
        "files": f"{built.files}, {_show.size(built.size)}",
        "proven": built.proof.words if built.proof.proven else f"no: {built.proof.words}",
        "beside it": ", ".join(path.name for path in built.artifacts),
        "try it": None if foreign else _command.line("flyweight", "invoke", built.target, "--folder", built.folder),
    }
    _show.table(str(built.folder), rows)
    if built.packages:
        ordered = sorted(built.packages, key=lambda package: -package.size)
        title = "packages" if built.shipped else "packages installed by the provider"
        cells = [[package.name, package.version, str(_show.size(package.size))] for package in ordered]
        _show.columns(title, ["package", "version", "size"], cells)
    if built.image is not None:
        cells = [[one.name, one.digest, str(_show.size(one.base)), str(_show.size(one.ours))] for one in built.image.platforms]
        _show.columns(f"image {built.image.digest}", ["platform", "digest", "base", "ours"], cells)
    limits = [
        [row.limit, str(_show.size(row.size)), str(_show.size(row.allowed)), "fits" if row.fits else f"over: {row.next_step}"]
        for row in built.limits
    ]
    if limits:
        _show.columns("limits", ["limit", "here", "allowed", ""], limits)


def _without(built: Built, with_bytecode: bool) -> str:
    """Explain why the build has no bytecode."""
    absent = (
        f": no Python {built.runtime} here (`uv python install {built.runtime}` gets it), each cold start compiles the sources"
    )
    if find(built.target).package.alone:
        return "none: the target's Python reads none"
    return f"none{absent if with_bytecode else ''}"


def _python(built: Built) -> str:
    """Name the Python that the build is for."""
    return "the target's own Python" if find(built.target).package.alone else f"Python {built.runtime}"


def _install(built: Built) -> str:
    """Return the command that installs the packages of the engine and the store, for a provider that does not install them."""
    command = _command.line("pip", "install", "-r", built.folder / "requirements.txt", "--target", built.folder)
    return f"{command}   (with the function's Python, on its system; not where the provider installs)"

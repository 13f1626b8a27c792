"""`flyweight image`: push, pull, sign and verify container images, and unpack them, without a container engine."""

from __future__ import annotations

import platform as machine
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _command, _show
from flyweight.toolkit.cli._group import SuggestingGroup

if TYPE_CHECKING:
    from flyweight.toolkit.images.registry import Registry

EXAMPLES = """\b
Examples, from a base to an image that a cluster pulls:
  flyweight image pull python:3.13-slim base.oci
  flyweight build docker --model penguins.safetensors -o build/docker --as oci --base base.oci
  flyweight image push build/docker.oci registry.example/penguins:1.0.0
  flyweight image sign registry.example/penguins:1.0.0 --key image.pem
  flyweight image verify registry.example/penguins:1.0.0 --key image.pem.pub
Each takes --json.
"""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def registry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the credentials for a registry."""
    secret = click.option("--password-command", default="", help="A command that prints the password, run without a shell.")
    user = click.option("--user", default="", help="The user.  [default: what docker login has kept, or nobody]")
    return user(secret(command))


@contextmanager
def registry(reference: str, user: str, password_command: str, writes: bool) -> Iterator[Registry]:
    """Connect to the registry of an image."""
    from flyweight.toolkit.images import credentials
    from flyweight.toolkit.images.reference import parse
    from flyweight.toolkit.images.registry import Registry

    named = parse(reference)
    opened = Registry(named, credentials.find(named.registry, user, password_command), writes)
    try:
        yield opened
    finally:
        opened.close()


@click.group(cls=SuggestingGroup, epilog=EXAMPLES)
def command() -> None:
    """Push, pull, sign and verify container images. `flyweight build TARGET --as oci` writes them."""


@command.command(epilog="Example: flyweight image push build/docker.oci registry.example/penguins:1.0.0")
@click.argument("layout", type=click.Path(path_type=Path))
@click.argument("reference")
@click.option(
    "--docker-format", is_flag=True, help="Push Docker's older manifest, which SageMaker needs, without the list of parts."
)
@registry_options
@as_json_option
def push(layout: Path, reference: str, docker_format: bool, user: str, password_command: str, as_json: bool) -> None:
    """Push the image in LAYOUT to REFERENCE, which is REGISTRY/NAME:TAG, with its list of parts, and print its name by digest.

    Blobs that the registry has already are not sent again. A registry on this machine is asked over plain HTTP, any other over
    HTTPS.
    """
    from flyweight.toolkit.images import docker_format as docker
    from flyweight.toolkit.images import transfer

    with registry(reference, user, password_command, writes=True) as opened, _show.progress(not as_json) as advance:
        digest = (docker.push if docker_format else transfer.push)(layout, opened, advance)
        named = opened.reference
    if as_json:
        return _show.document({"reference": str(named), "digest": digest, "image": named.at(digest)})
    click.echo(named.at(digest))


@command.command(epilog="Example: flyweight image pull python:3.13-slim base.oci")
@click.argument("reference")
@click.argument("layout", type=click.Path(path_type=Path))
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="A platform to pull, such as linux/amd64; all for each. Several are possible.  [default: linux/amd64 and linux/arm64]",
)
@registry_options
@as_json_option
def pull(reference: str, layout: Path, platforms: tuple[str, ...], user: str, password_command: str, as_json: bool) -> None:
    """Pull REFERENCE into the folder LAYOUT, an OCI image layout, for `flyweight build --base`."""
    from flyweight.toolkit.images import transfer

    with registry(reference, user, password_command, writes=False) as opened, _show.progress(not as_json) as advance:
        digest = transfer.pull(opened, layout, platforms, advance)
        named = str(opened.reference)
    if as_json:
        return _show.document({"reference": named, "digest": digest, "layout": str(layout)})
    use = _command.line("flyweight", "build", "docker", "--model", "MODEL", "--as", "oci", "--base", layout)
    _show.table(str(layout), {"image": named, "digest": digest, "build on it": use})


@command.command(epilog="Example: flyweight image base rootfs base.oci")
@click.argument("root", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("layout", type=click.Path(path_type=Path))
@click.option("--name", default="base", show_default=True, help="What the layout calls the image.")
@click.option("--arch", default="", help="The processor, as images name it: amd64, arm64.  [default: this machine's]")
@click.option("--env", "environ", multiple=True, help="A variable of the image, NAME=VALUE. Several are possible.")
@as_json_option
def base(root: Path, layout: Path, name: str, arch: str, environ: tuple[str, ...], as_json: bool) -> None:
    """Write ROOT, a folder with a root file system that holds Python, as an image to build on, where no registry is reached."""
    from flyweight.toolkit.building.archive import MOMENT
    from flyweight.toolkit.images import roots
    from flyweight.toolkit.images.layout import ImageRefused

    if layout.exists():
        raise ImageRefused(f"{layout} exists already", "give another folder, or remove it yourself")
    pairs = dict(one.partition("=")[::2] for one in environ)
    digest = roots.pack(root, layout, arch or roots.ARCHITECTURES.get(machine.machine(), machine.machine()), MOMENT, pairs, name)
    if as_json:
        return _show.document({"layout": str(layout), "digest": digest})
    _show.table(str(layout), {"digest": digest})


@command.command(epilog="Example: flyweight image unpack build/docker.oci rootfs")
@click.argument("layout", type=click.Path(path_type=Path))
@click.argument("root", type=click.Path(path_type=Path))
@click.option("--arch", default="", help="The processor, as images name it: amd64, arm64.  [default: the only one]")
@as_json_option
def unpack(layout: Path, root: Path, arch: str, as_json: bool) -> None:
    """Write the file system of the image in LAYOUT to the folder ROOT, and tell how its process is started there."""
    from flyweight.toolkit.images import roots
    from flyweight.toolkit.images.layout import ImageRefused

    if root.exists():
        raise ImageRefused(f"{root} exists already", "give another folder, or remove it yourself")
    run = roots.unpack(layout, root, arch).run
    words = [*(run.get("Entrypoint") or []), *(run.get("Cmd") or [])]
    if as_json:
        return _show.document({"root": str(root), "config": run})
    rows = {"command": _command.line(*words), "folder": run.get("WorkingDir"), "user": run.get("User")}
    _show.table(str(root), {**rows, "variables": _command.line(*(run.get("Env") or []))})


@command.command(epilog="Example: flyweight image sign registry.example/penguins:1.0.0 --key image.pem")
@click.argument("reference", required=False)
@click.option("--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The private key: ECDSA P-256 in PEM.")
@click.option("--new-key", type=click.Path(path_type=Path), help="Create a key pair: PATH, and PATH.pub for those who verify.")
@registry_options
@as_json_option
def sign(reference: str | None, key: Path | None, new_key: Path | None, user: str, password_command: str, as_json: bool) -> None:
    """Sign the image REFERENCE in its registry in cosign's format, or create a key pair.

    The digest is signed, so that a tag which moves later is not. `cosign verify --key image.pem.pub --insecure-ignore-tlog`
    verifies it, too: no transparency log is written.
    """
    if (new_key is None) == (reference is None) or (key is None) != (reference is None):
        raise click.UsageError("give REFERENCE and --key to sign, or --new-key to create a key pair")
    from flyweight.toolkit.images import cosign

    if new_key is not None:
        cosign.new_key(new_key)
        document = {"private": str(new_key), "public": f"{new_key}.pub"}
        return _show.document(document) if as_json else _show.table(str(new_key), {"public key": f"{new_key}.pub"})
    assert reference is not None and key is not None  # as the usage says
    with registry(reference, user, password_command, writes=True) as opened:
        image = opened.reference.at(cosign.sign(opened, key))
    if as_json:
        return _show.document({"image": image})
    _show.table(image, {"verify it": _command.line("flyweight", "image", "verify", image, "--key", Path(f"{key}.pub"))})


@command.command(epilog="Example: flyweight image verify registry.example/penguins:1.0.0 --key image.pem.pub")
@click.argument("reference")
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A public key: ECDSA P-256 in PEM. Several are alternatives.",
)
@registry_options
@as_json_option
def verify(reference: str, keys: tuple[Path, ...], user: str, password_command: str, as_json: bool) -> None:
    """Verify that one of the keys has signed the image REFERENCE, here or by cosign; deploy the digest that is printed."""
    from flyweight.toolkit.images import cosign

    with registry(reference, user, password_command, writes=False) as opened:
        signed = cosign.verify(opened, keys)
        image = opened.reference.at(signed.digest)
    if as_json:
        return _show.document({"image": image, "signed_as": signed.names})
    _show.table(image, {"signed as": ", ".join(signed.names)})

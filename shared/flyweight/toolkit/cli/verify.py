"""`flyweight verify`: verify the signature of a model file."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _show


@click.command(epilog="Example: flyweight verify penguins.safetensors --key private.pem.pub")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", required=True, multiple=True, help="A public key, as a PEM file or in base64; can be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(file: Path, keys: tuple[str, ...], as_json: bool) -> None:
    """Verify that one of the keys signed FILE. The signature is read from FILE.sig; nothing in FILE is run."""
    from flyweight.toolkit.publishing import signing

    signer, model = signing.verify(file, keys)
    name, version = model.document["name"], model.document["version"]
    if as_json:
        return _show.document({"path": str(file), "name": name, "version": version, "sha256": model.sha256, "key": signer})
    _show.table(str(file), {"model": f"{name} {version}", "sha256": model.sha256, "signed by": signer})

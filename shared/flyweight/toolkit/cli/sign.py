"""`flyweight sign`: sign a model file with a private key, or create a key pair."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from flyweight.toolkit.cli import _command, _own_code, _show

EXAMPLES = """\b
Examples:
  flyweight sign --new-key private.pem
  flyweight sign penguins.safetensors --key private.pem
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="The private key to sign with: Ed25519 in PEM.")
@click.option("--new-key", type=click.Path(path_type=Path), help="Create a key pair: PATH, and PATH.pub for those who verify.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@_own_code.options
def command(file: Path | None, key: Path | None, new_key: Path | None, as_json: bool) -> None:
    """Check FILE, sign it and write the signature to FILE.sig.

    The checks are those of a deployed function; the sha256, name and version are signed. `flyweight push --key` signs too, and
    `flyweight push` uploads an existing FILE.sig.
    """
    if (new_key is None) == (file is None) or (key is None) != (file is None):
        raise click.UsageError("give FILE and --key to sign, or --new-key to create a key pair")
    from flyweight.registry import verification
    from flyweight.toolkit.publishing import signing

    if new_key is not None:
        raw = signing.new_key(new_key)
        public, identity = base64.b64encode(raw).decode(), verification.key_id(raw)
        if as_json:
            return _show.document({"private": str(new_key), "public": f"{new_key}.pub", "key": identity, "base64": public})
        use = f"FLYWEIGHT_PUBLIC_KEYS={public}"
        return _show.table(str(new_key), {"key": identity, "public key": f"{new_key}.pub", "require it": use})
    from flyweight.toolkit.model_files import load

    assert file is not None and key is not None  # as the usage says
    model = load(str(file))
    sha256 = model.file.sha256
    signature = signing.sign(sha256, model.name, model.version, key)
    path = signing.write(file, sha256, signature, model.name, model.version)
    if as_json:
        return _show.document({"path": str(path), "name": model.name, "version": model.version, "sha256": sha256, **signature})
    rows = {"model": f"{model.name} {model.version}", "sha256": sha256, "signed by": signature["key"]}
    _show.table(str(path), {**rows, "verify it": _command.line("flyweight", "verify", file, "--key", Path(f"{key}.pub"))})

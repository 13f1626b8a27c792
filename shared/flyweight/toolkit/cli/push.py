"""`flyweight push`: a model file into a registry, under its own name and version, and aliases that mean it."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _show

EXAMPLES = """\b
Examples:
  flyweight push penguins.safetensors s3://bucket/models
  flyweight push penguins.safetensors s3://bucket/models --alias staging --key private.pem
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("store")
@click.option(
    "--alias", "aliases", multiple=True, help="An alias to promote to this version; several are allowed.  [default: latest]"
)
@click.option("--key", type=click.Path(path_type=Path), help="Sign with this private key; see `flyweight sign`.")
@click.option("--json", "as_json", is_flag=True, help="Print what was pushed as JSON.")
def command(file: Path, store: str, aliases: tuple[str, ...], key: Path | None, as_json: bool) -> None:
    """Check FILE as a function would, and put it into the registry at STORE.

    STORE is s3://, gs:// or az:// with a bucket and a folder, or a folder of this machine. Name and version are the file's own.
    A version never changes: the same bytes again are fine, others are refused. The next push completes one that was interrupted.
    """
    from flyweight.toolkit.publishing import registry

    with _show.progress(not as_json) as progress:
        pushed = registry.at(store).push(file, aliases or (registry.DEFAULT_ALIAS,), key, progress)
    if as_json:
        record, serials = pushed.record, {alias: pointer["serial"] for alias, pointer in pushed.aliases.items()}
        return _show.document({"address": pushed.address, "existed": pushed.existed, "aliases": serials, "record": record})
    name = pushed.record["name"]
    means = [f"{pushed.address.rpartition('/')[0]}@{alias}" for alias in pushed.aliases]
    rows = {
        "model": f"{name} {pushed.record['version']}",
        "pushed": "it was there already, with the same bytes" if pushed.existed else _show.size(pushed.record["bytes"]),
        "sha256": pushed.record["sha256"],
        "signed by": pushed.record.get("signature", {}).get("key"),
        "aliases": ", ".join(f"{name}@{alias}" for alias in pushed.aliases),
        "use it": f"FLYWEIGHT_MODEL={means[0]}",
    }
    _show.table(pushed.address, rows)

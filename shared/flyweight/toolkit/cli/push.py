"""`flyweight push`: add a model file to a registry under its own name and version, and point aliases to it."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _agreement, _own_code, _show

EXAMPLES = """\b
Examples:
  flyweight push penguins.safetensors s3://bucket/models
  flyweight push penguins.safetensors s3://bucket/models --alias staging --key private.pem
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("store")
@click.option("--alias", "aliases", multiple=True, help="An alias to point to this version; can be repeated.  [default: latest]")
@click.option("--key", type=click.Path(path_type=Path), help="Sign with this private key; see `flyweight sign`.")
@_agreement.option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@_own_code.options
def command(file: Path, store: str, aliases: tuple[str, ...], key: Path | None, yes: bool, as_json: bool) -> None:
    """Check FILE and add it to the registry at STORE.

    The checks are those of a deployed function. STORE is s3://, gs:// or az:// with a bucket and a folder, or a local folder.
    Name and version are read from the file. A version never changes: pushing the same bytes again succeeds, other bytes are
    refused. The next push completes an interrupted one. If callers of an alias would meet another signature, the changes are
    shown, and you are asked.
    """
    from flyweight.toolkit.publishing import registry
    from flyweight.toolkit.publishing.catalogue import file_at

    place, named = registry.at(store), aliases or (registry.DEFAULT_ALIAS,)
    document = file_at(str(file)).document
    for alias in named:
        _agreement.ask_for_alias(place, alias, document, yes, as_json)
    with _show.progress(not as_json) as progress:
        pushed = place.push(file, named, key, progress)
    if as_json:
        record, serials = pushed.record, {alias: pointer["serial"] for alias, pointer in pushed.aliases.items()}
        return _show.document({"address": pushed.address, "existed": pushed.existed, "aliases": serials, "record": record})
    name = pushed.record["name"]
    means = [f"{pushed.address.rpartition('/')[0]}@{alias}" for alias in pushed.aliases]
    rows = {
        "model": f"{name} {pushed.record['version']}",
        "pushed": "it existed already, with the same bytes" if pushed.existed else _show.size(pushed.record["bytes"]),
        "sha256": pushed.record["sha256"],
        "signed by": pushed.record.get("signature", {}).get("key"),
        "aliases": ", ".join(f"{name}@{alias}" for alias in pushed.aliases),
        "use it": f"FLYWEIGHT_MODEL={means[0]}",
    }
    _show.table(pushed.address, rows)

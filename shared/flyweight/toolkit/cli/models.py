"""`flyweight models`: list and remove the models of a registry, and move its aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _agreement, _show
from flyweight.toolkit.cli._group import SuggestingGroup
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.registry.addresses import Address

EXAMPLES = """\b
Examples:
  flyweight models ls s3://bucket/models
  flyweight models show s3://bucket/models/penguins@prod --json
  flyweight models promote s3://bucket/models/penguins@prod 1.1.0
  flyweight models rollback s3://bucket/models/penguins@prod
  flyweight models rm s3://bucket/models/penguins/1.0.0
Each takes --json.
"""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


@click.group(cls=SuggestingGroup, epilog=EXAMPLES)
def command() -> None:
    """List, promote and remove the models of a registry. `flyweight push` adds models."""


@command.command(epilog="Example: flyweight models ls s3://bucket/models")
@click.argument("place")
@as_json_option
def ls(place: str, as_json: bool) -> None:
    """List the models of a registry, or the versions of a model. PLACE is STORE or STORE/NAME."""
    from flyweight.toolkit.publishing import registry

    store, name = registry.find(place)
    if name:
        versions, aliases = store.versions(name), store.aliases(name)
        means = {alias: pointer["record"]["version"] for alias, pointer in aliases.items()}
        if as_json:
            return _show.document({"name": name, "versions": list(versions.values()), "aliases": means})
        newest_first = sorted(versions.values(), key=lambda record: record["pushed"], reverse=True)
        header = ("version", "aliases", "pushed", "size", "signed by")
        return _show.columns(store.place(name), header, [_row(record, means) for record in newest_first])
    models = store.names()
    if as_json:
        return _show.document([{"name": name, "versions": held[0], "aliases": held[1]} for name, held in models.items()])
    rows = [(name, ", ".join(versions), ", ".join(aliases)) for name, (versions, aliases) in models.items()]
    _show.columns(store.root, ("model", "versions", "aliases"), rows or [("none: `flyweight push` puts one here", "", "")])


def _row(record: dict[str, Any], means: dict[str, str]) -> tuple[str, ...]:
    aliases = ", ".join(alias for alias, version in means.items() if version == record["version"])
    signer = record.get("signature", {}).get("key", "-")
    return record["version"], aliases or "-", record["pushed"][:19], _show.size(record["bytes"]) or "", signer


@command.command(epilog="Example: flyweight models show s3://bucket/models/penguins@prod --fetch")
@click.argument("address")
@click.option("--fetch", "fetched", is_flag=True, help="Fetch the file too, and print its parity.")
@as_json_option
def show(address: str, fetched: bool, as_json: bool) -> None:
    """Show the record of a model. ADDRESS is STORE/NAME@ALIAS, STORE/NAME/VERSION, or one .safetensors object."""
    from flyweight.registry import releases
    from flyweight.toolkit.publishing import catalogue

    place, where, release = catalogue.release(address)
    document: dict[str, Any] = {"address": address, "kind": where.kind, "bytes": release.size}
    if where.kind == "alias":
        pointer = place.pointer(where.name, where.label)
        previous = [record["version"] for record in pointer["previous"]]
        document.update(serial=pointer["serial"], changed=pointer["changed"], previous=previous, record=pointer["record"])
    elif where.kind == "version":
        document["record"] = place.record(where.name, where.label)
    if where.name:
        aliases = place.aliases(where.name).items()
        document["aliases"] = [alias for alias, pointer in aliases if pointer["record"]["version"] == release.version]
    signature = releases.digital_signature(place.store, release)
    document["signed_by"] = signature["key"] if signature else None
    if fetched:
        with _show.progress(not as_json) as progress:
            progress(f"fetching {_show.size(release.size)}", 0, 0)
            _, file = catalogue.fetch(place, release)
        document.update(sha256=file.sha256, engines=file.document.get("engines"), parity=file.document.get("parity"))
    return _show.document(document) if as_json else _show.table(address, _rows(document))


def _rows(document: dict[str, Any]) -> dict[str, Any]:
    from flyweight.toolkit.cli.inspect import proof

    record = document.get("record", {})
    return {
        "model": f"{record['name']} {record['version']}" if record else None,
        "pushed": record.get("pushed"),
        "size": _show.size(document["bytes"]),
        "sha256": record.get("sha256", document.get("sha256")),
        "signed by": document["signed_by"] or "nobody",
        "aliases": ", ".join(document.get("aliases", [])) or None,
        "changed": f"{document['changed']} (serial {document['serial']})" if "serial" in document else None,
        "before that": ", ".join(document.get("previous", [])) or None,
        **(proof(document["parity"]) if "parity" in document else {}),
    }


@command.command(epilog="Example: flyweight models promote s3://bucket/models/penguins@prod 1.1.0")
@click.argument("alias")
@click.argument("version")
@_agreement.option
@as_json_option
def promote(alias: str, version: str, yes: bool, as_json: bool) -> None:
    """Point an alias to VERSION. ALIAS is STORE/NAME@ALIAS; its previous version is kept for `rollback`.

    If callers of the alias would meet another signature, the changes are shown, and you are asked.
    """
    from flyweight.toolkit.publishing import registry

    where = _alias(alias)
    place = registry.at(where.root)
    place.record(where.name, version)  # refused here if there is no such version
    document = _agreement.document_at(place.place(f"{where.name}/{version}"))
    if document is not None:
        _agreement.ask_for_alias(place, where.label, document, yes, as_json)
    _tell(alias, place.promote(where.name, where.label, version), as_json)


@command.command(epilog="Example: flyweight models rollback s3://bucket/models/penguins@prod")
@click.argument("alias")
@click.option("--to", metavar="VERSION", help="An earlier version of the alias.  [default: the newest that still exists]")
@as_json_option
def rollback(alias: str, to: str | None, as_json: bool) -> None:
    """Point an alias to its previous version. ALIAS is STORE/NAME@ALIAS; a second call goes one more version back."""
    from flyweight.toolkit.publishing import registry

    where = _alias(alias)
    _tell(alias, registry.at(where.root).rollback(where.name, where.label, to), as_json)


@command.command(epilog="Example: flyweight models rm s3://bucket/models/penguins/1.0.0")
@click.argument("address")
@as_json_option
def rm(address: str, as_json: bool) -> None:
    """Remove a version or an alias. ADDRESS is STORE/NAME/VERSION, to which no alias may point, or STORE/NAME@ALIAS."""
    from flyweight.toolkit.publishing import catalogue, registry

    where = catalogue.address(address)
    store = registry.at(where.root) if where.name else None
    if store is None:
        raise ToolkitError(f"{address} is not in a registry", "give STORE/NAME/VERSION or STORE/NAME@ALIAS")
    if where.kind == "alias":
        store.remove_alias(where.name, where.label)
    else:
        store.remove(where.name, where.label)
    if as_json:
        return _show.document({"removed": address})
    click.echo(f"removed {address}")


def _alias(text: str) -> Address:
    """Parse the address of an alias.

    :raises ToolkitError: the address is not an alias's.
    """
    from flyweight.toolkit.publishing import catalogue

    where = catalogue.address(text)
    if where.kind != "alias":
        raise ToolkitError(f"{text} is not the address of an alias", "give STORE/NAME@ALIAS")
    return where


def _tell(address: str, pointer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return _show.document({"address": address, **pointer})
    record = pointer["record"]
    before = ", ".join(previous["version"] for previous in pointer["previous"])
    rows = {"means": f"{record['name']} {record['version']}", "sha256": record["sha256"], "before that": before or None}
    _show.table(address, {**rows, "changed": f"{pointer['changed']} (serial {pointer['serial']})"})

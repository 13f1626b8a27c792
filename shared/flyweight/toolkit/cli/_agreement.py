"""Ask before a model with another signature takes the place of one that callers know."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from flyweight.errors import FlyweightError
from flyweight.toolkit.publishing.signature_changes import Document, SchemaChanged, changes

if TYPE_CHECKING:
    from flyweight.toolkit.publishing.catalogue import Catalogue

option = click.option("--yes", is_flag=True, help="Go on without asking if the model's signature changes.")


def ask(before: Document, after: Document, told: str, yes: bool, as_json: bool = False) -> None:
    """Print the changes of the signature, and ask whether to go on; nothing is asked if there are none.

    :param before: the document of the model that callers know.
    :param after: the document of the model that takes its place.
    :param told: what is about to happen, for the question.
    :param yes: whether the user agreed already.
    :raises SchemaChanged: the user can't be asked, since there is no terminal, or since the output is JSON.
    :raises Abort: the user does not agree.
    """
    found = changes(before, after)
    if not found:
        return
    named = " to ".join(f"{document['name']} {document['version']}" for document in (before, after))
    listed = "".join(f"\n  {change}" for change in found)
    if not yes and (as_json or not sys.stdin.isatty()):
        step = "read the changes, tell the callers, and add --yes to go on"
        raise SchemaChanged(f"the signature changes from {named}, and nothing was done:{listed}", step)
    click.echo(f"the signature changes from {named}:{listed}", err=True)
    if not yes:
        click.confirm(f"{told}?", abort=True, err=True)


def document_at(place: str) -> Document | None:
    """Read the document of a model that callers know; None, with a note, if it can't be read, since it can't be compared then."""
    from flyweight.toolkit.publishing.catalogue import file_at

    try:
        return file_at(place).document
    except (FlyweightError, OSError) as error:
        click.echo(f"note: the signature is not compared with that of {place}: {error}", err=True)
        return None


def ask_for_alias(registry: Catalogue, alias: str, after: Document, yes: bool, as_json: bool) -> None:
    """Ask before an alias means a model with another signature than the one that its callers know.

    :param alias: an alias of this model, which may not exist yet; then callers know the version that `latest` means.
    :raises SchemaChanged: the user can't be asked.
    :raises Abort: the user does not agree.
    """
    from flyweight.toolkit.publishing.registry import DEFAULT_ALIAS

    name, version = after["name"], after["version"]
    record = registry.known(name, alias, DEFAULT_ALIAS)
    if record is None or record["version"] == version:
        return
    before = document_at(registry.place(f"{name}/{record['version']}"))
    if before is not None:
        ask(before, after, f"Let {name}@{alias} mean {version}", yes, as_json)

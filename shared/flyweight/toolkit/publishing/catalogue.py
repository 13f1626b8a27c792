"""What a registry holds, for people and for the writing side: an address comes in, names, records and pointers go out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from flyweight.errors import FlyweightError, ModelRefused, ObjectNotFound
from flyweight.models.file import ModelFile, parse
from flyweight.registry import addresses, releases
from flyweight.registry.releases import MAX_DOCUMENT_BYTES, Release
from flyweight.stores import Timeouts, open_store

if TYPE_CHECKING:
    from flyweight.stores import Store

Record = dict[str, Any]
Pointer = dict[str, Any]

PATIENCE = Timeouts(connect=5.0, seconds=600.0, retries=5)  # of a person at a terminal, for a gigabyte


class RegistryRefused(FlyweightError):
    """What can't be done to a registry; `next_step` says what can."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


def address(text: str) -> addresses.Address:
    """An address as people type it: a path that is no model file's is one of a registry in a folder.

    :raises RegistryRefused: it is no address.
    """
    if "://" not in text and not text.endswith(addresses.SUFFIX):
        text = f"file://{os.path.abspath(text)}"
    try:
        return addresses.parse(text)
    except ValueError as error:
        raise RegistryRefused(str(error), "see docs/registry.md for what an address looks like") from None


def checked(text: str, what: str) -> str:
    """The text, if it may name a model, a version or an alias.

    :raises RegistryRefused: it may not.
    """
    try:
        return addresses.checked(text, what)
    except ValueError as error:
        raise RegistryRefused(str(error), f"choose another text for {what}") from None


def _sound(text: str) -> bool:
    try:
        return bool(addresses.checked(text, "a name"))
    except ValueError:
        return False


def release(text: str) -> tuple[Catalogue, addresses.Address, Release]:
    """What an address means now, and where its bytes are to be had.

    :raises RegistryRefused: it is no address of a store, or nothing is there.
    """
    where = address(text)
    if where.kind == "file":
        raise RegistryRefused(f"{text} is a file on this machine", f"`flyweight inspect {text}`")
    catalogue = Catalogue(where.root, open_store(where.root, PATIENCE))
    try:
        return catalogue, where, releases.resolve(catalogue.store, where)
    except ObjectNotFound:
        raise RegistryRefused(f"there is no {text}", f"see `flyweight models ls {where.root}`") from None
    except ModelRefused as error:
        raise _damaged(error, where.root) from None


def fetch(catalogue: Catalogue, release: Release) -> tuple[bytes, ModelFile]:
    """The bytes of a release, verified, and the model file that they are.

    :raises RegistryRefused: they were altered, or are no model file.
    """
    try:
        data = bytes(releases.fetch(catalogue.store, release))
        return data, parse(data)
    except ModelRefused as error:
        raise _damaged(error, catalogue.root) from None


def _damaged(error: ModelRefused, root: str) -> RegistryRefused:
    return RegistryRefused(str(error), f"see `flyweight models ls {root}` for a version that is sound, and promote or push that")


class Catalogue:
    """Versions and aliases of models under one root."""

    def __init__(self, root: str, store: Store) -> None:
        self.root = root
        self.store = store

    def names(self, below: str = "") -> dict[str, tuple[list[str], list[str]]]:
        """Each model with its versions and its aliases, by one listing; that of one model is shorter."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for name, place, *rest in (key.split("/") for key in self.keys(below) if "/" in key):
            alias = place[1:-5] if not rest and place.startswith("@") and place.endswith(".json") else ""
            version = place if rest == ["version.json"] else ""
            if _sound(name) and _sound(alias or version):  # whatever else lies in a store is none of a registry's
                versions, aliases = found.setdefault(name, ([], []))
                (aliases if alias else versions).append(alias or version)
        return found

    def versions(self, name: str) -> dict[str, Record]:
        """The record of each version of a model; one that is removed meanwhile is left out."""
        versions, _ = self.names(checked(name, "a model's name")).get(name, ([], []))
        found = {version: self.find(name, version) for version in versions}
        return {version: record for version, record in found.items() if record is not None}

    def aliases(self, name: str) -> dict[str, Pointer]:
        """What each alias of a model means; one that is removed meanwhile is left out."""
        _, aliases = self.names(checked(name, "a model's name")).get(name, ([], []))
        found = {alias: self.find_pointer(name, alias)[0] for alias in aliases}
        return {alias: pointer for alias, pointer in found.items() if pointer is not None}

    def record(self, name: str, version: str) -> Record:
        """What is known of a version.

        :raises RegistryRefused: there is no such version.
        """
        record = self.find(name, version)
        if record is None:
            raise self.no_version(name, version)
        return record

    def pointer(self, name: str, alias: str) -> Pointer:
        """What an alias means, and meant.

        :raises RegistryRefused: there is no such alias.
        """
        pointer, _ = self.find_pointer(name, alias)
        if pointer is None:
            raise self.no_alias(name, alias)
        return pointer

    def find(self, name: str, version: str) -> Record | None:
        """What is known of a version, if it is there."""
        document = self.document(addresses.record_key(name, checked(version, "a version")))
        if document is None:
            return None
        try:
            record = releases.checked_record(document[0])
            if (record["name"], record["version"]) != (name, version):
                raise ModelRefused(f"it is of {record['name']} {record['version']}")
        except ModelRefused as error:
            place = self.place(f"{name}/{version}")
            raise RegistryRefused(f"{place} is damaged: {error}", f"`flyweight models rm {place}`, then push again") from None
        return record

    def find_pointer(self, name: str, alias: str) -> tuple[Pointer | None, str | None]:
        """What an alias means, and its tag; both None where there is no such alias."""
        document = self.document(addresses.pointer_key(name, checked(alias, "an alias")))
        if document is None:
            return None, None
        try:
            pointer = releases.checked_pointer(document[0])
            if pointer["record"]["name"] != name:
                raise ModelRefused(f"it is of the model {pointer['record']['name']}")
        except ModelRefused as error:
            alias = f"{self.place(name)}@{alias}"
            raise RegistryRefused(f"{alias} is damaged: {error}", f"`flyweight models rm {alias}`, then promote again") from None
        return pointer, document[1]

    def still(self, record: Record) -> Record | None:
        """The record that is there of these bytes under this version, if there is one."""
        there = self.find(record["name"], record["version"])
        return there if there is not None and there["sha256"] == record["sha256"] else None

    def document(self, key: str) -> tuple[bytes, str] | None:
        """A small object and its tag, if it is there."""
        try:
            data, mark = self.store.get(key, MAX_DOCUMENT_BYTES)
        except ObjectNotFound:
            return None
        return data, mark.tag

    def keys(self, prefix: str) -> list[str]:
        """All keys below a folder; none where there is no such folder."""
        try:
            return self.store.keys(prefix)
        except ObjectNotFound:
            return []

    def place(self, key: str) -> str:
        """The address of something under the root."""
        return f"{self.root}{'' if self.root.endswith('/') else '/'}{key}"

    def no_version(self, name: str, version: str) -> RegistryRefused:
        """The error that there is no such version."""
        return RegistryRefused(f"there is no {name} {version} in {self.root}", f"see `flyweight models ls {self.place(name)}`")

    def no_alias(self, name: str, alias: str) -> RegistryRefused:
        """The error that there is no such alias."""
        return RegistryRefused(f"there is no {name}@{alias} in {self.root}", f"see `flyweight models ls {self.place(name)}`")

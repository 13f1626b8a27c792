"""What a registry holds, for people and for the code that writes to it: models, versions, aliases, records and pointers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyweight.errors import InvalidSetting, ModelRefused, ObjectNotFound
from flyweight.models.file import ModelFile, parse
from flyweight.registry import addresses, releases
from flyweight.registry.releases import MAX_DOCUMENT_BYTES
from flyweight.stores import Timeouts, open_store
from flyweight.toolkit import model_files
from flyweight.toolkit.errors import ToolkitError
from flyweight.values import Release

if TYPE_CHECKING:
    from flyweight.stores import Store

Record = dict[str, Any]  # version.json: what is known of one version
Pointer = dict[str, Any]  # @ALIAS.json: the record that an alias means, and those that it meant before

TIMEOUTS = Timeouts(connect=5.0, seconds=600.0, retries=5)  # for a person at a terminal, and a file of a gigabyte


class RegistryRefused(ToolkitError):
    """Something that can't be done to a registry."""


def address(text: str) -> addresses.Address:
    """Parse an address as people type it: a path that does not end in .safetensors is one of a registry in a folder.

    :raises RegistryRefused: the text is not an address.
    """
    if "://" not in text and not text.endswith(addresses.SUFFIX):
        path = Path(os.path.abspath(text)).as_posix()
        text = f"file://{'' if path.startswith('/') else '/'}{path}"
    try:
        return addresses.parse(text)
    except InvalidSetting as error:
        raise RegistryRefused(str(error), "see docs/registry.md for what an address looks like") from None


def checked(text: str, what: str) -> str:
    """Check that a text may name a model, a version or an alias, and return it.

    :param what: what the text names, for the error message, as "a version".
    :raises RegistryRefused: the text may not be such a name.
    """
    try:
        return addresses.checked(text, what)
    except InvalidSetting as error:
        raise RegistryRefused(str(error), f"choose another text for {what}") from None


def _is_name(text: str) -> bool:
    try:
        return bool(addresses.checked(text, "a name"))
    except InvalidSetting:
        return False


def release(text: str) -> tuple[Catalogue, addresses.Address, Release]:
    """Find the release that an address in a store names now.

    :returns: the catalogue of the address's store, the parsed address, and the release.
    :raises RegistryRefused: the text is not an address of a store, or there is no such object.
    """
    where = address(text)
    if where.kind == "file":
        raise RegistryRefused(f"{text} is a file on this machine", f"`flyweight inspect {text}`")
    catalogue = Catalogue(where.root, open_store(where.root, TIMEOUTS))
    try:
        return catalogue, where, releases.resolve(catalogue.store, where)
    except ObjectNotFound:
        raise RegistryRefused(f"there is no {text}", f"see `flyweight models ls {where.root}`") from None
    except ModelRefused as error:
        raise _damaged(error, where.root) from None


def fetch(catalogue: Catalogue, release: Release) -> tuple[bytes, ModelFile]:
    """Fetch the bytes of a release and verify them.

    :returns: the bytes, and the model file that they hold.
    :raises RegistryRefused: the bytes were altered, or are not a model file.
    """
    try:
        data = bytes(releases.fetch(catalogue.store, release))
        return data, parse(data)
    except ModelRefused as error:
        raise _damaged(error, catalogue.root) from None


def file_at(text: str) -> ModelFile:
    """Read a model file on this machine or in a store. It is not loaded, so that neither its packages nor its steps are needed.

    :param text: a path or an address.
    :raises RegistryRefused: there is no such model in the store, or it is damaged.
    :raises ModelRefused: the file on this machine fails a check.
    :raises OSError: it can't be read.
    """
    if "://" not in text:
        return model_files.read(text)
    catalogue, _, found = release(text)
    return fetch(catalogue, found)[1]


def _damaged(error: ModelRefused, root: str) -> RegistryRefused:
    step = f"see `flyweight models ls {root}` for a version that is not damaged, and promote that version or push the model again"
    return RegistryRefused(str(error), step)


class Catalogue:
    """Reads versions and aliases of models below one root.

    :param root: the address of the registry.
    :param store: the store at that address; keys are relative to the root.
    """

    def __init__(self, root: str, store: Store) -> None:
        self.root = root
        self.store = store

    def names(self, prefix: str = "") -> dict[str, tuple[list[str], list[str]]]:
        """List the models, each with its versions and its aliases; objects that are not a registry's are left out.

        :param prefix: the name of a model, to list that one alone, which takes less time.
        """
        models: dict[str, tuple[list[str], list[str]]] = {}
        for name, place, *rest in (key.split("/") for key in self.keys(prefix) if "/" in key):
            alias = place[1:-5] if not rest and place.startswith("@") and place.endswith(".json") else ""
            version = place if rest == ["version.json"] else ""
            if _is_name(name) and _is_name(alias or version):
                versions, aliases = models.setdefault(name, ([], []))
                (aliases if alias else versions).append(alias or version)
        return models

    def versions(self, name: str) -> dict[str, Record]:
        """Read the record of each version of a model; a version that is removed meanwhile is left out.

        :raises RegistryRefused: the name is not valid, or a record is damaged.
        """
        versions, _ = self.names(checked(name, "a model's name")).get(name, ([], []))
        records = {version: self.find(name, version) for version in versions}
        return {version: record for version, record in records.items() if record is not None}

    def aliases(self, name: str) -> dict[str, Pointer]:
        """Read the pointer of each alias of a model; an alias that is removed meanwhile is left out.

        :raises RegistryRefused: the name is not valid, or a pointer is damaged.
        """
        _, aliases = self.names(checked(name, "a model's name")).get(name, ([], []))
        pointers = {alias: self.find_pointer(name, alias)[0] for alias in aliases}
        return {alias: pointer for alias, pointer in pointers.items() if pointer is not None}

    def record(self, name: str, version: str) -> Record:
        """Read the record of a version.

        :raises RegistryRefused: there is no such version, or its record is damaged.
        """
        record = self.find(name, version)
        if record is None:
            raise self.no_version(name, version)
        return record

    def pointer(self, name: str, alias: str) -> Pointer:
        """Read the pointer of an alias.

        :raises RegistryRefused: there is no such alias, or its pointer is damaged.
        """
        pointer, _ = self.find_pointer(name, alias)
        if pointer is None:
            raise self.no_alias(name, alias)
        return pointer

    def find(self, name: str, version: str) -> Record | None:
        """Read the record of a version; None if there is no such version.

        :raises RegistryRefused: the version is not a valid name, or its record is damaged.
        """
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
        """Read the pointer of an alias, and the tag of its object; both are None if there is no such alias.

        :raises RegistryRefused: the alias is not a valid name, or its pointer is damaged.
        """
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

    def known(self, name: str, alias: str, usual: str) -> Record | None:
        """Find the version that callers of a model know.

        :param alias: an alias; if it does not exist yet, `usual` counts instead.
        :returns: the record of the version that the alias names; None if neither exists.
        :raises RegistryRefused: a name is not valid, or a pointer is damaged.
        """
        name = checked(name, "a model's name")
        pointers = (self.find_pointer(name, one)[0] for one in dict.fromkeys([alias, usual]))
        return next((pointer["record"] for pointer in pointers if pointer is not None), None)

    def find_same(self, record: Record) -> Record | None:
        """Read the record of the same version; None if the version was removed or has other bytes now."""
        current = self.find(record["name"], record["version"])
        return current if current is not None and current["sha256"] == record["sha256"] else None

    def document(self, key: str) -> tuple[bytes, str] | None:
        """Read a small object, of at most `MAX_DOCUMENT_BYTES`.

        :returns: its bytes and its tag; None if there is no such object.
        """
        try:
            data, meta = self.store.get(key, MAX_DOCUMENT_BYTES)
        except ObjectNotFound:
            return None
        return data, meta.tag

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a folder; an empty list if there is no such folder."""
        try:
            return self.store.keys(prefix)
        except ObjectNotFound:
            return []

    def place(self, key: str) -> str:
        """Build the address of a key below the root."""
        return f"{self.root}{'' if self.root.endswith('/') else '/'}{key}"

    def no_version(self, name: str, version: str) -> RegistryRefused:
        """Build the error that there is no such version."""
        return RegistryRefused(f"there is no {name} {version} in {self.root}", f"see `flyweight models ls {self.place(name)}`")

    def no_alias(self, name: str, alias: str) -> RegistryRefused:
        """Build the error that there is no such alias."""
        return RegistryRefused(f"there is no {name}@{alias} in {self.root}", f"see `flyweight models ls {self.place(name)}`")

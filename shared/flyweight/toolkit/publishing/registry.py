"""The writing side of a registry: pushes versions, promotes and rolls back aliases, removes both.

A version is its bytes and then its record, each written once; an alias is a pointer, changed by compare-and-swap only. So a
reader never sees a half-written version or pointer, and an interrupted operation is completed by doing it again.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flyweight.errors import ObjectNotFound, PreconditionFailed
from flyweight.registry import addresses
from flyweight.registry.releases import MAX_PREVIOUS, checked_record
from flyweight.stores import open_store
from flyweight.toolkit.publishing.catalogue import TIMEOUTS, Catalogue, Pointer, Record, RegistryRefused, address, checked

Progress = Callable[[str, int, int], None]  # stage, done, total

ATTEMPTS = 12  # to change a pointer that others change as well; in each round one of the writers succeeds
DEFAULT_ALIAS = "latest"


@dataclass(frozen=True)
class Pushed:
    """A version that is in the registry now.

    :param address: the address of the version.
    :param existed: whether the same bytes were there before.
    :param aliases: the pointers of the aliases that mean it now.
    """

    address: str
    record: Record
    existed: bool
    aliases: dict[str, Pointer]


def at(root: str) -> Registry:
    """Open the registry at a root, which is the address of a store or the path of a folder.

    :raises RegistryRefused: the root is not such an address.
    """
    try:
        parsed = address(f"{root}{'' if root.endswith('/') else '/'}name/1")
    except RegistryRefused:  # its message is not repeated, since it may hold credentials
        message = "the store should be a folder, or s3://, gs:// or az:// with a bucket and a folder"
        raise RegistryRefused(message, "give such an address; credentials come from the environment") from None
    return Registry(parsed.root, open_store(parsed.root, TIMEOUTS))


def find(place: str) -> tuple[Registry, str]:
    """Open the registry at an address that may end in the name of a model; what the store holds decides.

    :returns: the registry, and the model's name or "".
    :raises RegistryRefused: the place is not an address of a store.
    """
    registry = at(place)
    if not registry.names() and any(key.startswith("@") or key.endswith("/version.json") for key in registry.keys("")):
        root, _, name = registry.root.rpartition("/")
        return at(root), name
    return registry, ""


class Registry(Catalogue):
    """Reads and changes versions and aliases of models below one root."""

    def push(
        self, path: Path, aliases: Sequence[str] = (DEFAULT_ALIAS,), key: Path | None = None, progress: Progress = lambda *_: None
    ) -> Pushed:
        """Put a model file into the registry under its own name and version, and promote aliases to that version.

        :param key: a PEM file with the private key to sign the version with; without it, the digital signature in FILE.sig is
            taken if there is one.
        :raises ModelRefused: the file can't be loaded, or FILE.sig belongs to other bytes.
        :raises RegistryRefused: the version exists with other bytes or another digital signature, or a name is not valid.
        :raises KeyRefused: the private key can't be read.
        """
        from flyweight.toolkit.model_files import load
        from flyweight.toolkit.publishing import signing

        for alias in aliases:
            checked(alias, "an alias")
        progress("checking", 0, 0)
        model = load(str(path))
        data = bytes(model.file.data)
        sha256 = hashlib.sha256(data).hexdigest()
        name, version = checked(model.name, "a model's name"), checked(model.version, "a version")
        digital_signature = signing.sign(sha256, name, version, key) if key else signing.read_for(path, sha256)
        record: Record = {"name": name, "version": version, "sha256": sha256, "bytes": len(data), "pushed": _now()}
        if digital_signature is not None:
            record["signature"] = digital_signature
        record, existed = self._write(checked_record(_json(record)), data, progress)
        pointers = {alias: self.promote(name, alias, version) for alias in aliases}
        return Pushed(self.place(f"{name}/{version}"), record, existed, pointers)

    def promote(self, name: str, alias: str, version: str) -> Pointer:
        """Make an alias mean a version; the version that it meant before is kept for `rollback`.

        :returns: the alias's pointer now.
        :raises RegistryRefused: there is no such version, or it was removed meanwhile.
        """
        record = self.record(name, version)

        def promoted(pointer: Pointer | None) -> Pointer:
            if pointer is None:
                # Seconds since 1970 and not 1, so that an alias that is removed and made again is newer than what readers saw.
                return {"serial": int(time.time()), "changed": _now(), "record": record, "previous": []}
            if pointer["record"] == record:
                return pointer
            previous = [pointer["record"], *pointer["previous"]][:MAX_PREVIOUS]
            return {"serial": pointer["serial"] + 1, "changed": _now(), "record": record, "previous": previous}

        pointer = self._change(name, alias, promoted)
        # Look again for a removal since the record was read; `remove` looks again as well, so that one of both sees the other.
        if self.find_same(record) is None:
            step = f"push it again, or `flyweight models rollback {self.place(name)}@{alias}`"
            raise RegistryRefused(f"{name} {version} was removed while {alias} was promoted to it", step)
        return pointer

    def rollback(self, name: str, alias: str, to: str | None = None) -> Pointer:
        """Make an alias mean a version that it meant before.

        Later versions leave the alias's history, so that the next rollback goes further back; the versions themselves stay.

        :param to: the version; None for the newest that is still there.
        :returns: the alias's pointer now.
        :raises RegistryRefused: there is no such alias, or it meant no such version that is still there.
        """

        def rolled_back(pointer: Pointer | None) -> Pointer:
            if pointer is None:
                raise self.no_alias(name, alias)
            for position, before in enumerate(pointer["previous"], 1):
                record = self.find_same(before) if to in (None, before["version"]) else None
                if record is not None:
                    previous = pointer["previous"][position:]
                    return {"serial": pointer["serial"] + 1, "changed": _now(), "record": record, "previous": previous}
            reason = (
                f"{name}@{alias} did not mean {to} before" if to else f"{name}@{alias} meant nothing before that is still there"
            )
            raise RegistryRefused(reason, f"`flyweight models promote {self.place(name)}@{alias} VERSION` takes any version")

        return self._change(name, alias, rolled_back)

    def remove(self, name: str, version: str) -> None:
        """Remove a version. Its record goes first, so that it is never seen without its bytes.

        :raises RegistryRefused: an alias means the version, or there is no such version.
        """
        self._check_no_alias(name, version)
        record_key = addresses.record_key(name, version)
        record, keys = self.document(record_key), self.keys(f"{name}/{version}")
        if record is None and not keys:
            raise self.no_version(name, version)
        self.store.delete(record_key)
        try:
            self._check_no_alias(name, version)
        except RegistryRefused:  # an alias was promoted to it meanwhile: put the record back
            if record is not None:
                self.store.put(record_key, record[0], None)
            raise
        for key in keys:
            if key != record_key:
                self.store.delete(key)

    def remove_alias(self, name: str, alias: str) -> None:
        """Remove an alias, even if its pointer is damaged.

        :raises RegistryRefused: there is no such alias.
        """
        key = addresses.pointer_key(name, alias)
        try:
            self.store.head(key)
        except ObjectNotFound:
            raise self.no_alias(name, alias) from None
        self.store.delete(key)

    def _write(self, record: Record, data: bytes, progress: Progress) -> tuple[Record, bool]:
        """Write the bytes of a version, then its record.

        :returns: the record that is in the registry now, and whether it was there before.
        :raises RegistryRefused: the version exists with other bytes or another digital signature.
        """
        name, version = record["name"], record["version"]
        current = self.find(name, version)
        if current is not None:
            self._check_same(record, current)
        self._write_bytes(addresses.model_key(name, version, record["sha256"]), data, progress)
        if current is not None:
            return current, True
        try:
            self.store.put(addresses.record_key(name, version), _json(record), None)
        except PreconditionFailed:  # another pushes it at the same time, or the answer to our own write was lost
            current = self.record(name, version)
            self._check_same(record, current)
            return current, current != record
        return record, False

    def _write_bytes(self, key: str, data: bytes, progress: Progress) -> None:
        """Write the bytes of a model, unless the same bytes are there.

        :raises RegistryRefused: other bytes are there.
        """
        progress(f"uploading {len(data) / 1e6:.1f} MB", 0, 0)
        try:
            self.store.head(key)
        except ObjectNotFound:
            try:
                self.store.put(key, data, None)
                return
            except PreconditionFailed:
                pass
        # an interrupted push left the object, or another one wrote it: compare before it is trusted
        progress("comparing with the object that is there", 0, 0)
        if self.store.get(key, len(data))[0] != data:
            raise RegistryRefused(f"{self.place(key)} exists already, and its bytes do not have that hash", "remove that object")

    def _check_same(self, record: Record, current: Record) -> None:
        """Check that a version in the registry is the one that is pushed.

        :raises RegistryRefused: it has other bytes or another digital signature.
        """
        version = f"{record['name']} {record['version']}"
        if current["sha256"] != record["sha256"]:
            raise RegistryRefused(
                f"{version} exists already with other bytes (sha256 {current['sha256'][:12]}...): a version never changes",
                "pack the model with another --version, and push that",
            )
        if "signature" in record and current.get("signature") != record["signature"]:
            state = f"signed by the key {current['signature']['key']}" if "signature" in current else "unsigned"
            raise RegistryRefused(
                f"{version} exists already, {state}: a version never changes, and neither does its digital signature",
                "pack the model with another --version, and push that with --key",
            )

    def _change(self, name: str, alias: str, change: Callable[[Pointer | None], Pointer]) -> Pointer:
        """Replace a pointer by compare-and-swap; if another writer was faster, read it again and repeat.

        :param change: a function from the pointer, or None if none exists, to the new pointer.
        :raises RegistryRefused: others changed the pointer at every attempt.
        """
        key = addresses.pointer_key(name, checked(alias, "an alias"))
        tried: list[Pointer] = []
        for attempt in range(ATTEMPTS):
            pointer, tag = self.find_pointer(name, alias)
            if pointer is not None and pointer in tried:  # it was written, and only the answer was lost
                return pointer
            changed = change(pointer)
            if changed == pointer:
                return changed
            try:
                self.store.put(key, _json(changed), tag)
                return changed
            except PreconditionFailed:
                tried.append(changed)
                time.sleep(random.uniform(0, min(0.02 * 2**attempt, 1.0)))
        raise RegistryRefused(f"{name}@{alias} was changed by others {ATTEMPTS} times in a row", "try again in a moment")

    def _check_no_alias(self, name: str, version: str) -> None:
        """Check that no alias means a version.

        :raises RegistryRefused: an alias means it.
        """
        aliases = [alias for alias, pointer in self.aliases(name).items() if pointer["record"]["version"] == version]
        if aliases:
            raise RegistryRefused(
                f"{name} {version} is what {' and '.join(f'{name}@{alias}' for alias in aliases)} means",
                f"`flyweight models promote` or `rollback` {self.place(name)}@{aliases[0]} first",
            )


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

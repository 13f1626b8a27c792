"""The writing side of a registry: model files, versions and aliases come in, objects in a store go out.

A version is bytes, then a record, each written once; an alias is a pointer, changed by compare-and-swap alone. So a reader never
sees half of anything, and whatever is interrupted is completed by doing it again.
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
from flyweight.toolkit.publishing.catalogue import PATIENCE, Catalogue, Pointer, Record, RegistryRefused, address, checked

Progress = Callable[[str, int, int], None]

ATTEMPTS = 12  # to change a pointer that others change, too: one of them gets on each time
DEFAULT_ALIAS = "latest"


@dataclass(frozen=True)
class Pushed:
    """A version that is in the registry now; `existed`: these bytes were there before."""

    address: str
    record: Record
    existed: bool
    aliases: dict[str, Pointer]


def at(root: str) -> Registry:
    """The registry whose root is a store's address, or a folder's path.

    :raises RegistryRefused: it is no such address.
    """
    try:
        parsed = address(f"{root}{'' if root.endswith('/') else '/'}name/1")
    except RegistryRefused:
        message = "the store should be a folder, or s3://, gs:// or az:// with a bucket and a folder"  # it may hold credentials
        raise RegistryRefused(message, "give one such; credentials come from the environment") from None
    return Registry(parsed.root, open_store(parsed.root, PATIENCE))


def found(place: str) -> tuple[Registry, str]:
    """The registry at an address, and the name of the model if that is what the address leads to: what is there tells."""
    registry = at(place)
    if not registry.names() and any(key.startswith("@") or key.endswith("/version.json") for key in registry.keys("")):
        root, _, name = registry.root.rpartition("/")
        return at(root), name
    return registry, ""


class Registry(Catalogue):
    """Versions and aliases of models under one root."""

    def push(
        self, path: Path, aliases: Sequence[str] = (DEFAULT_ALIAS,), key: Path | None = None, progress: Progress = lambda *_: None
    ) -> Pushed:
        """Put a model file here under its own name and version, and have the aliases mean it.

        It is signed by the private key in the file `key`, or else by the signature that lies beside it, if any.

        :raises ModelRefused: the file is not one that answers.
        :raises RegistryRefused: the version is there already, and is other bytes.
        """
        from flyweight.predictor import load
        from flyweight.toolkit.publishing import signing

        for alias in aliases:
            checked(alias, "an alias")
        progress("checking", 0, 0)
        model = load(str(path))
        data = bytes(model.file.data)
        sha256 = hashlib.sha256(data).hexdigest()
        name, version = checked(model.name, "a model's name"), checked(model.version, "a version")
        signature = signing.sign(sha256, name, version, key) if key else signing.of_these_bytes(path, sha256)
        record: Record = {"name": name, "version": version, "sha256": sha256, "bytes": len(data), "pushed": _now()}
        if signature is not None:
            record["signature"] = signature
        record, existed = self._write(checked_record(_json(record)), data, progress)
        pointers = {alias: self.promote(name, alias, version) for alias in aliases}
        return Pushed(self.place(f"{name}/{version}"), record, existed, pointers)

    def promote(self, name: str, alias: str, version: str) -> Pointer:
        """Have an alias mean a version; what it meant before is kept for `rollback`.

        :raises RegistryRefused: there is no such version.
        """
        record = self.record(name, version)

        def promoted(pointer: Pointer | None) -> Pointer:
            if pointer is None:
                # Seconds since 1970 and not 1: an alias that was removed and made again is newer than any reader has seen it.
                return {"serial": int(time.time()), "changed": _now(), "record": record, "previous": []}
            if pointer["record"] == record:
                return pointer
            previous = [pointer["record"], *pointer["previous"]][:MAX_PREVIOUS]
            return {"serial": pointer["serial"] + 1, "changed": _now(), "record": record, "previous": previous}

        pointer = self._change(name, alias, promoted)
        if self.still(record) is None:  # removed since it was read; `remove` looks again as well, so that one of the two sees it
            again = f"push it again, or `flyweight models rollback {self.place(name)}@{alias}`"
            raise RegistryRefused(f"{name} {version} was removed while {alias} was made to mean it", again)
        return pointer

    def rollback(self, name: str, alias: str, to: str | None = None) -> Pointer:
        """Have an alias mean what it meant before, the newest that is still there or the version `to`.

        What it meant since then is out of its history, so that the next rollback leads further back; as versions, all stay.

        :raises RegistryRefused: there is nothing to go back to.
        """

        def back(pointer: Pointer | None) -> Pointer:
            if pointer is None:
                raise self.no_alias(name, alias)
            for position, before in enumerate(pointer["previous"], 1):
                record = self.still(before) if to in (None, before["version"]) else None
                if record is not None:
                    previous = pointer["previous"][position:]
                    return {"serial": pointer["serial"] + 1, "changed": _now(), "record": record, "previous": previous}
            wanted = (
                f"{name}@{alias} did not mean {to} before" if to else f"{name}@{alias} meant nothing before that is still there"
            )
            raise RegistryRefused(wanted, f"`flyweight models promote {self.place(name)}@{alias} VERSION` takes any version")

        return self._change(name, alias, back)

    def remove(self, name: str, version: str) -> None:
        """Take a version away, its record first, so that it is never seen without its bytes.

        :raises RegistryRefused: an alias means it, or it is not there.
        """
        self._unmeant(name, version)
        record_key = addresses.record_key(name, version)
        record, keys = self.document(record_key), self.keys(f"{name}/{version}")
        if record is None and not keys:
            raise self.no_version(name, version)
        self.store.delete(record_key)
        try:
            self._unmeant(name, version)
        except RegistryRefused:  # promoted between the first look and now: it is put back
            if record is not None:
                self.store.put(record_key, record[0], None)
            raise
        for key in keys:
            if key != record_key:
                self.store.delete(key)

    def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias away, whatever it holds."""
        key = addresses.pointer_key(name, alias)
        try:
            self.store.head(key)
        except ObjectNotFound:
            raise self.no_alias(name, alias) from None
        self.store.delete(key)

    def _write(self, record: Record, data: bytes, progress: Progress) -> tuple[Record, bool]:
        """Bytes, then record; the record that is there afterwards, and whether it was there before."""
        name, version = record["name"], record["version"]
        there = self.find(name, version)
        if there is not None:
            self._check_same(record, there)
        self._write_bytes(addresses.model_key(name, version, record["sha256"]), data, progress)
        if there is not None:
            return there, True
        try:
            self.store.put(addresses.record_key(name, version), _json(record), None)
        except PreconditionFailed:  # another pushes it at this moment; or this one did, and the answer was lost
            there = self.record(name, version)
            self._check_same(record, there)
            return there, there != record
        return record, False

    def _write_bytes(self, key: str, data: bytes, progress: Progress) -> None:
        progress(f"uploading {len(data) / 1e6:.1f} MB", 0, 0)
        try:
            self.store.head(key)
        except ObjectNotFound:
            try:
                self.store.put(key, data, None)
                return
            except PreconditionFailed:
                pass
        # left by a push that was interrupted, or pushed by another: to be trusted when it was looked at
        progress("comparing with what is there", 0, 0)
        if self.store.get(key, len(data))[0] != data:
            raise RegistryRefused(f"{self.place(key)} is there already, and is not what its name says", "remove that object")

    def _check_same(self, record: Record, there: Record) -> None:
        version = f"{record['name']} {record['version']}"
        if there["sha256"] != record["sha256"]:
            raise RegistryRefused(
                f"{version} is there already, and is other bytes (sha256 {there['sha256'][:12]}...): a version never changes",
                "pack the model with another --version, and push that",
            )
        if "signature" in record and there.get("signature") != record["signature"]:
            signer = f"by the key {there['signature']['key']}" if "signature" in there else "by none"
            raise RegistryRefused(
                f"{version} is there already, signed {signer}: a version never changes, and neither does its signature",
                "pack the model with another --version, and push that with --key",
            )

    def _change(self, name: str, alias: str, change: Callable[[Pointer | None], Pointer]) -> Pointer:
        """Replace a pointer by what `change` makes of it, reading it again whenever another was faster."""
        key = addresses.pointer_key(name, checked(alias, "an alias"))
        tried: list[Pointer] = []
        for attempt in range(ATTEMPTS):
            pointer, tag = self.find_pointer(name, alias)
            if pointer is not None and pointer in tried:  # it was written, and only the answer was lost
                return pointer
            wanted = change(pointer)
            if wanted == pointer:
                return wanted
            try:
                self.store.put(key, _json(wanted), tag)
                return wanted
            except PreconditionFailed:
                tried.append(wanted)
                time.sleep(random.uniform(0, min(0.02 * 2**attempt, 1.0)))
        raise RegistryRefused(f"{name}@{alias} was changed by others {ATTEMPTS} times in a row", "do it again in a moment")

    def _unmeant(self, name: str, version: str) -> None:
        meant = [alias for alias, pointer in self.aliases(name).items() if pointer["record"]["version"] == version]
        if meant:
            raise RegistryRefused(
                f"{name} {version} is what {' and '.join(f'{name}@{alias}' for alias in meant)} means",
                f"`flyweight models promote` or `rollback` {self.place(name)}@{meant[0]} first",
            )


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Read a registry: find the release that an address names now, and fetch its bytes.

    NAME/VERSION/SHA256.safetensors     the bytes, written once
    NAME/VERSION/version.json           the record, written once
    NAME/@ALIAS.json                    the pointer, changed by compare-and-swap; each change adds one to its serial

Records and pointers are hostile until checked. https://www.rfc-editor.org/rfc/rfc8259
"""

from flyweight.errors import ModelRefused, ObjectNotFound, StoreFailed, preview
from flyweight.models.file import MAX_FILE_BYTES, json_object
from flyweight.registry.addresses import checked, model_key
from flyweight.values import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.registry.addresses import Address
    from flyweight.stores import Store

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_PREVIOUS = 20
MAX_SERIAL = 1 << 53  # up to here every JSON reader represents whole numbers exactly
SIGNED = ("key", "value", "name", "version")  # what is read of KEY.sig
HEX = frozenset("0123456789abcdef")


def resolve(store: "Store", address: "Address") -> Release:
    """Find the release that an address names now, by one small request.

    :raises StoreFailed: the store can't be read; ObjectNotFound if it has no such alias, version or object.
    :raises ModelRefused: the store's answer is not a record or a pointer, or is one of another model.
    """
    if address.kind == "object":
        meta = store.head(address.key)
        return Release("", "", "", meta.size, address.key, meta.tag, 0, None, meta.modified)
    data, meta = store.get(address.key, MAX_DOCUMENT_BYTES)
    if address.kind == "alias":
        pointer = checked_pointer(data)
        record, serial = pointer["record"], pointer["serial"]
    else:
        record, serial = checked_record(data), 0
    if record["name"] != address.name or (address.kind == "version" and record["version"] != address.label):
        raise ModelRefused(f"{address.key} is of {record['name']} {record['version']}, another model than it should be")
    name, version, sha256 = record["name"], record["version"], record["sha256"]
    key = model_key(name, version, sha256)
    return Release(name, version, sha256, record["bytes"], key, meta.tag, serial, record.get("signature"), meta.modified)


def fetch(store: "Store", release: Release) -> bytes:
    """Fetch the bytes of a release, and verify their size and their hash or, for a plain object, their tag.

    :raises ModelRefused: truncated or altered bytes.
    :raises StoreFailed: the store can't be read, or a plain object was replaced since.
    """
    data = download(store, release)
    if release.sha256:
        verify(data, release)
    return data


def verify(data: bytes, release: Release) -> str:
    """Compute the sha256 of a release's bytes.

    :raises ModelRefused: the release promises another one.
    """
    from flyweight.stores.sha256 import sha256 as digest_of

    sha256 = digest_of(data).hexdigest()
    if release.sha256 not in ("", sha256):
        raise ModelRefused(f"{release.key} has the sha256 {sha256}: it was altered, or not written whole")
    return sha256


def download(store: "Store", release: Release) -> bytes:
    """Fetch the bytes of a release and check their size; their hash is not verified.

    :raises ModelRefused: the size differs from the release's.
    :raises StoreFailed: as `fetch`.
    """
    data, meta = store.get(release.key, min(release.size, MAX_FILE_BYTES) if release.sha256 else MAX_FILE_BYTES)
    if not release.sha256 and meta.tag != release.tag:
        raise StoreFailed(f"{release.key} was replaced between two reads", transient=True)
    if len(data) != release.size:
        raise ModelRefused(f"{release.key} has {len(data)} bytes, expected {release.size}")
    return data


def digital_signature(store: "Store", release: Release) -> "dict[str, str] | None":
    """Get the digital signature of a release, for a plain object from KEY.sig; None if it has none.

    :raises ModelRefused: KEY.sig is malformed.
    :raises StoreFailed: the store can't be read.
    """
    if release.sha256 or release.digital_signature is not None:
        return release.digital_signature
    try:
        data, _ = store.get(f"{release.key}.sig", MAX_DOCUMENT_BYTES)
    except ObjectNotFound:
        return None
    document = json_object(data, "the digital signature")
    _check_digital_signature({field: document.get(field) for field in ("key", "value")})
    return {field: value for field, value in document.items() if field in SIGNED and isinstance(value, str)}


def checked_pointer(data: bytes) -> "dict[str, Any]":
    """Parse a pointer `{"serial", "changed", "record", "previous"}` and check all its parts.

    :raises ModelRefused: a part is malformed.
    """
    pointer = json_object(data, "the pointer")
    _expect(pointer, "the pointer", {"serial", "changed", "record", "previous"})
    serial, previous = pointer["serial"], pointer["previous"]
    if type(serial) is not int or not 1 <= serial <= MAX_SERIAL:
        raise ModelRefused(f"the pointer's serial should be a whole number above zero, got {preview(serial)}")
    _check_time(pointer["changed"], "changed")
    if not isinstance(previous, list) or len(previous) > MAX_PREVIOUS:
        raise ModelRefused(f"the pointer's previous should be at most {MAX_PREVIOUS} records")
    for record in [pointer["record"], *previous]:
        _check_record(record)
    if any(record["name"] != pointer["record"]["name"] for record in previous):
        raise ModelRefused("the pointer's records are of several models")
    return pointer


def checked_record(data: bytes) -> "dict[str, Any]":
    """Parse a record `{"name", "version", "sha256", "bytes", "pushed", "signature"?}` and check all its parts.

    :raises ModelRefused: a part is malformed.
    """
    record = json_object(data, "the record")
    _check_record(record)
    return record


def _check_record(record: "Any") -> None:
    """Check a record.

    :raises ModelRefused: a part is malformed.
    """
    _expect(record, "a record", {"name", "version", "sha256", "bytes", "pushed"}, "signature")
    try:
        for field in ("name", "version"):
            checked(record[field] if isinstance(record[field], str) else "", f"a record's {field}")
    except ValueError as error:
        raise ModelRefused(str(error)) from None
    sha256, size = record["sha256"], record["bytes"]
    if not isinstance(sha256, str) or len(sha256) != 64 or not HEX.issuperset(sha256):
        raise ModelRefused(f"a record's sha256 should be 64 hexadecimal digits, got {preview(sha256)}")
    if type(size) is not int or not 0 <= size <= MAX_FILE_BYTES:
        raise ModelRefused(f"a record's bytes should be 0 to {MAX_FILE_BYTES}, got {preview(size)}")
    _check_time(record["pushed"], "pushed")
    if "signature" in record:
        _check_digital_signature(record["signature"])


def _check_digital_signature(value: "Any") -> None:
    """Check the form of a digital signature; `verification.check` verifies it.

    :raises ModelRefused: not an object of two short texts.
    """
    _expect(value, "a digital signature", {"key", "value"})
    for field, limit in (("key", 200), ("value", 100)):
        text = value[field]
        if not isinstance(text, str) or not 0 < len(text) <= limit or not text.isascii() or not text.isprintable():
            raise ModelRefused(f"a digital signature's {field} should be 1 to {limit} printable characters, got {preview(text)}")


def _check_time(value: "Any", field: str) -> None:
    """Check the text of a time, which is for people only.

    :raises ModelRefused: not a short printable text.
    """
    if not isinstance(value, str) or not 0 < len(value) <= 40 or not value.isascii() or not value.isprintable():
        raise ModelRefused(f"{field} should be a time such as 2026-11-25T18:00:00Z, got {preview(value)}")


def _expect(value: "Any", name: str, fields: "set[str]", *optional: str) -> None:
    """Check the keys of an object.

    :param name: what the value is, for the message.
    :raises ModelRefused: the value is not an object, lacks a field, or has another one.
    """
    if not isinstance(value, dict) or not fields <= value.keys() or not value.keys() <= fields | {*optional}:
        raise ModelRefused(f"{name} should be an object of {', '.join(sorted(fields))}")

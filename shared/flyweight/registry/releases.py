"""The reading side of a registry: an address comes in, which release it means now and that release's bytes go out.

    NAME/VERSION/SHA256.safetensors     the bytes, written once
    NAME/VERSION/version.json           the record, written once
    NAME/@ALIAS.json                    the pointer, changed by compare-and-swap, its serial growing by one

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
MAX_SERIAL = 1 << 53  # what every JSON reader counts exactly
HEX = frozenset("0123456789abcdef")


def resolve(store: "Store", address: "Address") -> Release:
    """What an address means now, by one small request.

    :raises StoreFailed: the store did not say.
    :raises ModelRefused: what it said is not a record or a pointer, or one of another model.
    """
    if address.kind == "object":
        mark = store.head(address.key)
        return Release("", "", "", mark.size, address.key, mark.tag, 0, None, mark.modified)
    data, mark = store.get(address.key, MAX_DOCUMENT_BYTES)
    if address.kind == "alias":
        pointer = checked_pointer(data)
        record, serial = pointer["record"], pointer["serial"]
    else:
        record, serial = checked_record(data), 0
    if record["name"] != address.name or (address.kind == "version" and record["version"] != address.label):
        raise ModelRefused(f"{address.key} is of {record['name']} {record['version']}, another model than it should be")
    name, version, sha256 = record["name"], record["version"], record["sha256"]
    key = model_key(name, version, sha256)
    return Release(name, version, sha256, record["bytes"], key, mark.tag, serial, record.get("signature"), mark.modified)


def fetch(store: "Store", release: Release) -> bytes:
    """The bytes of a release, of the size and the hash, or else the tag, that it promised.

    :raises ModelRefused: truncated or altered bytes.
    :raises StoreFailed: the store did not give them, or a plain object was replaced since.
    """
    data = received(store, release)
    if release.sha256:
        verify(data, release)
    return data


def verify(data: bytes, release: Release) -> str:
    """The sha256 of a release's bytes.

    :raises ModelRefused: it promised another one.
    """
    import hashlib

    found = hashlib.sha256(data).hexdigest()
    if release.sha256 not in ("", found):
        raise ModelRefused(f"{release.key} has the sha256 {found}: it was altered, or not written whole")
    return found


def received(store: "Store", release: Release) -> bytes:
    """The bytes of a release as the store gives them, of the promised size; their hash is still to be verified.

    :raises ModelRefused, StoreFailed: as `fetch`.
    """
    data, mark = store.get(release.key, min(release.size, MAX_FILE_BYTES) if release.sha256 else MAX_FILE_BYTES)
    if not release.sha256 and mark.tag != release.tag:
        raise StoreFailed(f"{release.key} was replaced between two looks at it", transient=True)
    if len(data) != release.size:
        raise ModelRefused(f"{release.key} has {len(data)} bytes, where {release.size} were promised")
    return data


def signature(store: "Store", release: Release) -> "dict[str, str] | None":
    """The signature of a release; that of a plain object stands beside it as KEY.sig. None: it has none."""
    if release.sha256 or release.signature is not None:
        return release.signature
    try:
        data, _ = store.get(f"{release.key}.sig", MAX_DOCUMENT_BYTES)
    except ObjectNotFound:
        return None
    document = json_object(data, "the signature")
    signature: dict[str, Any] = {field: document.get(field) for field in ("key", "value")}  # FILE.sig has its sha256 as well
    _check_signature(signature)
    return signature


def checked_pointer(data: bytes) -> "dict[str, Any]":
    """A pointer `{"serial", "changed", "record", "previous"}` whose every part is sound.

    :raises ModelRefused: whatever is wrong with it.
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
    """A record `{"name", "version", "sha256", "bytes", "pushed", "signature"?}` whose every part is sound.

    :raises ModelRefused: whatever is wrong with it.
    """
    record = json_object(data, "the record")
    _check_record(record)
    return record


def _check_record(record: "Any") -> None:
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
        _check_signature(record["signature"])


def _check_signature(value: "Any") -> None:
    _expect(value, "a signature", {"key", "value"})
    for field, limit in (("key", 200), ("value", 100)):
        text = value[field]
        if not isinstance(text, str) or not 0 < len(text) <= limit or not text.isascii() or not text.isprintable():
            raise ModelRefused(f"a signature's {field} should be 1 to {limit} printable characters, got {preview(text)}")


def _check_time(value: "Any", field: str) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= 40 or not value.isascii() or not value.isprintable():
        raise ModelRefused(f"{field} should be a time such as 2026-11-25T18:00:00Z, got {preview(value)}")


def _expect(value: "Any", what: str, fields: "set[str]", *optional: str) -> None:
    if not isinstance(value, dict) or not fields <= value.keys() or not value.keys() <= fields | {*optional}:
        raise ModelRefused(f"{what} should be an object of {', '.join(sorted(fields))}")

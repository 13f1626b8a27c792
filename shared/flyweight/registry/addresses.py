"""Where a model is: the text of an address comes in, the store's root and the key within it go out."""

import os

from flyweight.errors import InvalidSetting, preview
from flyweight.stores import LOCAL_HOSTS, SCHEMES, is_local
from flyweight.values import Value, frozen

SUFFIX = ".safetensors"
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+")
HOSTS = LETTERS | frozenset("$:[]")  # `$web` is a container, `[::1]:8080` a host
MAX_LENGTH = 2048
EXPECTED = (
    "a path or SCHEME://PLACE/KEY of a file ending in .safetensors, STORE/NAME@ALIAS or STORE/NAME/VERSION, "
    "where SCHEME is file, s3, gs, az or https"
)


@frozen
class Address(Value):
    """One place of a model.

    `kind`: "file" (a path that never changes), "object" (one model file in a store), "alias" or "version" (of a registry).
    `root`: the store's own address; `key`: the object to ask for first; `name` and `label` (alias or version) are a registry's.
    """

    text: str
    kind: str
    root: str
    key: str
    name: str = ""
    label: str = ""


def parse(text: str, home: str = "") -> Address:
    """Read an address; a relative path starts at `home`.

    An address is plain text: nothing in it is percent-encoded.

    :raises InvalidSetting: it is none; the message says what one looks like and repeats no credentials.
    """
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise InvalidSetting(f"expected {EXPECTED}, in at most {MAX_LENGTH} printable characters")
    scheme, colon, rest = text.partition("://")
    if not colon:
        return _path(text, home)
    host, slash, path = rest.partition("/")
    if "@" in host or (scheme.startswith("http") and ("?" in rest or "#" in rest)):
        raise InvalidSetting("an address carries no credentials, no query and no fragment; credentials come from the environment")
    if scheme not in SCHEMES or not slash or (host == "") != (scheme == "file") or not HOSTS.issuperset(host):
        raise InvalidSetting(f"expected {EXPECTED}, got {preview(text)}")
    if scheme == "http" and not is_local(host):
        raise InvalidSetting(f"http:// is for {' and '.join(LOCAL_HOSTS)} only, use https://; got {preview(text)}")
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise InvalidSetting(f"an address has no empty, '.' or '..' part; got {preview(text)}")
    return _in_store(text, f"{scheme}://{host}", parts)


def checked(text: str, what: str) -> str:
    """The text, if it may name a model, a version or an alias.

    :raises InvalidSetting: it may not; `what` says what it was to name.
    """
    sound = 0 < len(text) <= 100 and LETTERS.issuperset(text) and text[0] != "." and not text.endswith(SUFFIX)
    if not sound:
        rule = "1 to 100 of letters, digits, '.', '_', '-', '+', not starting with '.' and not ending in .safetensors"
        raise InvalidSetting(f"{what} should be {rule}; got {preview(text)}")
    return text


def pointer_key(name: str, alias: str) -> str:
    """Where a registry keeps an alias."""
    return f"{name}/@{alias}.json"


def record_key(name: str, version: str) -> str:
    """Where a registry keeps what it knows of a version."""
    return f"{name}/{version}/version.json"


def model_key(name: str, version: str, sha256: str) -> str:
    """Where a registry keeps the bytes of a version."""
    return f"{name}/{version}/{sha256}{SUFFIX}"


def _path(text: str, home: str) -> Address:
    scheme = text.partition(":")[0]
    if not text.endswith(SUFFIX) or scheme in SCHEMES:
        raise InvalidSetting(f"expected {EXPECTED}, got {preview(text)}")
    return Address(text, "file", "", os.path.join(home, text))


def _in_store(text: str, place: str, parts: "list[str]") -> Address:
    last = parts[-1]
    if last.endswith(SUFFIX):
        return Address(text, "object", _root(place, parts[:-1]), last)
    name, at, alias = last.partition("@")
    if at:
        pointer = pointer_key(checked(name, "a model's name"), checked(alias, "an alias"))
        return Address(text, "alias", _root(place, parts[:-1]), pointer, name, alias)
    if len(parts) < 2:
        raise InvalidSetting(f"expected {EXPECTED}, got {preview(text)}")
    record = record_key(checked(parts[-2], "a model's name"), checked(last, "a version"))
    return Address(text, "version", _root(place, parts[:-2]), record, parts[-2], last)


def _root(place: str, folders: "list[str]") -> str:
    root = "/".join([place, *folders])
    return "file:///" if root == "file://" else root

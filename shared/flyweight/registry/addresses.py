"""Parse the addresses of models: the root of a store, and the key of an object in it."""

from flyweight.errors import InvalidSetting, preview
from flyweight.stores import LOCAL_HOSTS, SCHEMES, is_local
from flyweight.values import Value

SUFFIX = ".safetensors"
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+")
HOSTS = LETTERS | frozenset("$:[]")  # `$web` is a container, `[::1]:8080` a host
MAX_LENGTH = 2048
EXPECTED = (
    "a path or SCHEME://PLACE/KEY of a file ending in .safetensors, STORE/NAME@ALIAS or STORE/NAME/VERSION, "
    "where SCHEME is file, s3, gs, az or https"
)


class Address(Value):
    """The address of one model.

    `kind`: "file" (a path, whose model never changes), "object" (one model file in a store), "alias" or "version" (of a
    registry). `root`: the store's own address; `key`: the first object to read; `name` and `label` (alias or version) are those
    of a registry.
    """

    text: str
    kind: str
    root: str
    key: str
    name: str = ""
    label: str = ""


def parse(text: str, folder: str = "") -> Address:
    """Parse an address, which is plain text: nothing in it is percent-encoded.

    :param folder: where a relative path starts.
    :raises InvalidSetting: the text is not an address; the message describes one and repeats no credentials.
    """
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise InvalidSetting(f"expected {EXPECTED}, in at most {MAX_LENGTH} printable characters")
    scheme, colon, rest = text.partition("://")
    if not colon:
        return _path(text, folder)
    host, slash, path = rest.partition("/")
    signed = "=" in rest.partition("?")[2]  # as a shared access signature of Azure, or a signed URL
    if "@" in host or signed or (scheme.startswith("http") and ("?" in rest or "#" in rest)):
        raise InvalidSetting("an address has no credentials, no query and no fragment; credentials come from the environment")
    if scheme not in SCHEMES or not slash or (host == "") != (scheme == "file") or not HOSTS.issuperset(host):
        raise InvalidSetting(f"expected {EXPECTED}, got {preview(text)}")
    if scheme == "http" and not is_local(host):
        raise InvalidSetting(f"http:// is for {' and '.join(LOCAL_HOSTS)} only, use https://; got {preview(text)}")
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise InvalidSetting(f"an address has no empty, '.' or '..' part; got {preview(text)}")
    return _in_store(text, f"{scheme}://{host}", parts)


def checked(text: str, name: str) -> str:
    """Check the name of a model, a version or an alias, and return it.

    :param name: what the text is, for the message.
    :raises InvalidSetting: the text is empty, too long, or has other characters.
    """
    sound = 0 < len(text) <= 100 and LETTERS.issuperset(text) and text[0] != "." and not text.endswith(SUFFIX)
    if not sound:
        rule = "1 to 100 of letters, digits, '.', '_', '-', '+', not starting with '.' and not ending in .safetensors"
        raise InvalidSetting(f"{name} should be {rule}; got {preview(text)}")
    return text


def pointer_key(name: str, alias: str) -> str:
    """Make the key of an alias in a registry."""
    return f"{name}/@{alias}.json"


def record_key(name: str, version: str) -> str:
    """Make the key of the record of a version in a registry."""
    return f"{name}/{version}/version.json"


def model_key(name: str, version: str, sha256: str) -> str:
    """Make the key of the model file of a version in a registry."""
    return f"{name}/{version}/{sha256}{SUFFIX}"


def _path(text: str, folder: str) -> Address:
    """Make the address of a path.

    :raises InvalidSetting: the path does not end in .safetensors, or begins like the address of a store.
    """
    scheme = text.partition(":")[0]
    if not text.endswith(SUFFIX) or scheme in SCHEMES:
        raise InvalidSetting(f"expected {EXPECTED}, got {preview(text)}")
    from os.path import join  # imported late: an address in a store does not need it

    return Address(text, "file", "", join(folder, text))


def _in_store(text: str, place: str, parts: "list[str]") -> Address:
    """Make the address of an object, an alias or a version.

    :param place: the scheme and the host or bucket.
    :param parts: the parts of the path between its slashes, of which none is empty.
    :raises InvalidSetting: a name is not valid, or is absent.
    """
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
    """Make the address of a store."""
    root = "/".join([place, *folders])
    return "file:///" if root == "file://" else root

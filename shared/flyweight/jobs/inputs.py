"""Find the files that addresses name: a file, a folder, or a pattern with `*` and `**`, on this machine or in a store."""

import os
import re

from flyweight.errors import FlyweightError, StoreFailed, UnsupportedMediaType
from flyweight.files.reader import COMPRESSIONS, FORMATS
from flyweight.stores import open_store
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXTENSIONS = {**FORMATS, "arrow": "arrow", "arrows": "arrow", "feather": "arrow", "ipc": "arrow"}
BINARY = ("parquet", "arrow")
WILD = re.compile(r"[*?\[]")


class NoInput(FlyweightError):
    """Addresses that name no file, or name files that can't be scored together."""


class Input(Value):
    """A file, by the root of its store and its key there; `name` is its path below what the address names."""

    root: str
    key: str
    name: str

    @property
    def address(self) -> str:
        """The address of the file; a path for a file of this machine."""
        return f"{self.root.removeprefix('file://')}/{self.key}"


def form_of(key: str) -> "tuple[str, str]":
    """Find the format and the compression of a file by the extensions of its name; "" is no compression.

    :returns: "csv", "jsonl", "parquet" or "arrow"; and "gzip", "zstd" or "".
    :raises UnsupportedMediaType: the name does not say them.
    """
    parts = key.lower().rpartition("/")[2].split(".")
    compression = COMPRESSIONS.get(parts.pop(), "") if parts[-1] in COMPRESSIONS else ""
    form = EXTENSIONS.get(parts[-1]) if len(parts) > 1 else None
    if form is None or (form in BINARY and compression):
        listed = ", ".join(f".{extension}" for extension in EXTENSIONS)
        raise UnsupportedMediaType(
            f"a file's name should end in {listed}, or in .gz or .zst after a text format; got {key[-100:]!r}"
        )
    return form, compression


def is_table(key: str) -> bool:
    """Tell whether a name says a format that is read."""
    try:
        form_of(key)
    except UnsupportedMediaType:
        return False
    return True


def find(addresses: "Iterable[str]", output: str = "") -> "list[Input]":
    """Find the files of all addresses, in the order of their names.

    In a folder, and where a pattern's `*` stands, names that begin with a dot or an underscore are left out, as Spark and Hive
    leave them out. Files of other formats in a folder are left out as well, and so is a folder for answers inside of it.

    :param output: the root of the answers' store.
    :raises NoInput: an address names no file, two files would have the same name, or answers would replace a file.
    :raises UnsupportedMediaType: a file that is named has no format that is read.
    :raises StoreFailed: a store can't be listed.
    """
    found: dict[str, Input] = {}
    for address in addresses:
        inputs = _apart([*_found(address)], output)
        if not inputs:
            raise NoInput(f"{address}: no file of a table is there; a table is {', '.join(f'.{name}' for name in EXTENSIONS)}")
        for one in inputs:
            if found.setdefault(one.name, one) != one:
                raise NoInput(f"{found[one.name].address} and {one.address} would have the same answers' file: score them apart")
    _check_kept([*found.values()], output)
    return [found[name] for name in sorted(found)]


def _apart(found: "list[Input]", output: str) -> "list[Input]":
    """Leave out the files of the answers' folder, if that folder lies below the one that was searched."""
    roots, answers = _real_roots(found), _real(output)
    return [
        one
        for one in found
        if not (answers.startswith(f"{roots[one.root]}/") and f"{roots[one.root]}/{one.key}".startswith(f"{answers}/"))
    ]


def _check_kept(found: "list[Input]", output: str) -> None:
    """Check that no file is replaced by answers.

    :raises NoInput: one would be.
    """
    roots, answers = _real_roots(found), _real(output)
    sources = {f"{roots[one.root]}/{one.key}" for one in found}
    for one in found:
        if f"{answers}/{one.name}" in sources:
            raise NoInput(f"{one.address}: its answers would replace a file that is scored: name another folder for them")


def _real_roots(found: "list[Input]") -> "dict[str, str]":
    return {root: _real(root) for root in {one.root for one in found}}


def _real(root: str) -> str:
    """Follow the links of a root on this machine, so that two names of one folder are equal."""
    return f"file://{os.path.realpath(root[7:])}" if root.startswith("file://") else root


def _found(address: str) -> "Iterator[Input]":
    """Find the files of one address."""
    scheme, colon, rest = address.partition("://")
    if not colon:
        scheme, rest = "file", os.path.abspath(address).replace(os.sep, "/") + ("/" if address.endswith("/") else "")
    wild = WILD.search(rest)
    if wild is None and scheme in ("http", "https"):
        root, _, key = address.rpartition("/")
        form_of(key)
        yield Input(root, key, key)
        return
    if wild is None:
        yield from _plain(scheme, rest)
        return
    folder = rest[: wild.start()].rpartition("/")[0]
    _check_bucket(address, scheme, folder)
    pattern = _pattern(rest[len(folder) + 1 :])
    for key in _keys(f"{scheme}://{folder}"):
        if pattern.fullmatch(key):
            form_of(key)
            yield Input(f"{scheme}://{folder}", key, key)


def _plain(scheme: str, rest: str) -> "Iterator[Input]":
    """Find a file, or the tables in a folder."""
    path = rest.rstrip("/")
    folder, _, name = path.rpartition("/")
    is_file = os.path.isfile(path) if scheme == "file" else not rest.endswith("/") and bool(folder) and is_table(name)
    if is_file:
        form_of(name)
        yield Input(f"{scheme}://{folder}", name, name)
        return
    yield from [Input(f"{scheme}://{path}", key, key) for key in _keys(f"{scheme}://{path}") if is_table(key)]


def _keys(root: str) -> "list[str]":
    """List the keys below a root, without those that are hidden."""
    keys = open_store(root).keys("")
    return [key for key in keys if not any(part.startswith((".", "_")) for part in key.split("/"))]


def _check_bucket(address: str, scheme: str, folder: str) -> None:
    """Check that a pattern is below a bucket, or is one of files.

    :raises StoreFailed: the name of the bucket is a pattern, or the store can't list.
    """
    if scheme in ("http", "https"):
        raise StoreFailed(f"{address}: a web server has no list of files: name each one")
    if scheme != "file" and not folder:
        raise StoreFailed(f"{address}: name the bucket; a pattern stands for keys only")


def _pattern(text: str) -> "re.Pattern[str]":
    """Translate a pattern: `**/` stands for any folders, `*` and `?` for characters of one name, `[...]` for one of some.

    :raises NoInput: it is no pattern.
    """
    made = ""
    for part in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]/]+\]|.", text, re.DOTALL):
        known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        if len(part) > 1 and part[0] == "[":
            is_other = part[1] in "!^"
            known[part] = f"[{'^' * is_other}{_MEANT.sub(_escaped, part[1 + is_other : -1])}]"
        made += known.get(part) or re.escape(part)
    try:
        return re.compile(made)
    except re.error as error:
        raise NoInput(
            f"{text}: this is no pattern: {error.msg}; write [a-z], the lower letter first, and [!a-z] for others"
        ) from None


_MEANT = re.compile(r"[\\^\[&~|]")  # signs that mean something between brackets in Python and nothing in a pattern


def _escaped(sign: "re.Match[str]") -> str:
    return f"\\{sign[0]}"

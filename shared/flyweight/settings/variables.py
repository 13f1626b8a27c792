"""Read environment variables: no other module reads `os.environ`."""

import sys

from flyweight.errors import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

ENCODING = sys.getfilesystemencoding(), "surrogateescape"


class _Variables:
    """The environment variables as `os.environ` has them: read from the dict of bytes under it.

    `os` itself imports five more modules, which takes longer than loading a small model.
    """

    def __init__(self, under: "dict[bytes, bytes]") -> None:
        self._under = under

    def get(self, name: str, default: "str | None" = None) -> "str | None":
        """Return a variable's value."""
        value = self._under.get(name.encode(*ENCODING))
        return default if value is None else value.decode(*ENCODING)

    def update(self, found: "Mapping[str, str]") -> None:
        """Add variables, as `os.environ.update` does."""
        self._under.update({name.encode(*ENCODING): value.encode(*ENCODING) for name, value in found.items()})

    def __iter__(self) -> "Iterator[str]":
        return iter([name.decode(*ENCODING) for name in self._under])

    def items(self) -> "list[tuple[str, str]]":
        """Return names and values."""
        return [(name.decode(*ENCODING), value.decode(*ENCODING)) for name, value in self._under.items()]


def _joined(folder: str, path: str) -> str:
    """Make a relative path start at a folder."""
    return path if path.startswith("/") else f"{folder.removesuffix('/')}/{path}" if folder else path


VARIABLES: "Mapping[str, str]"
try:
    from posix import environ

    VARIABLES, joined = _Variables(environ), _joined  # type: ignore[assignment]
except ImportError:  # Windows
    import os

    VARIABLES, joined = os.environ, os.path.join  # type: ignore[assignment]


def take(found: "Mapping[str, str]") -> None:
    """Take variables that a platform hands to the function, and not to its process."""
    VARIABLES.update(found)  # type: ignore[attr-defined]


def variable(name: str) -> str:
    """Read a variable that is not flyweight's own: one of the platform, or one that a store's library reads as well."""
    return VARIABLES.get(name, "").strip()


def text_of(name: str, environ: "Mapping[str, str]") -> str:
    """Read one of flyweight's variables; "" if it is not set.

    `$NAME`, or `$NAME/rest`, is the value of a variable that the platform sets, as its port or the folder of a model.
    """
    text = environ.get(f"FLYWEIGHT_{name}", "").strip()
    return _referred(text, environ) if text[:1] == "$" else text


def _referred(text: str, environ: "Mapping[str, str]") -> str:
    """Put the value of a variable in its place; "" if it is not set, as if the reference were not there."""
    name, slash, rest = text[1:].partition("/")
    value = environ.get(name, "").strip()
    return value and f"{value.removesuffix('/')}{slash}{rest}"


def words_of(name: str, environ: "Mapping[str, str]") -> "tuple[str, ...]":
    """Read a list of words between commas or spaces."""
    return tuple(text_of(name, environ).replace(",", " ").split())


def with_numbers(defaults: "Any", environ: "Mapping[str, str]") -> "Any":
    """Replace each number of a frozen value by that of the variable with its name, if that is set.

    :raises InvalidSetting: as `count_of` and `seconds_of`.
    """
    readers = {int: count_of, float: seconds_of}
    pairs = [(name, value) for name, value in defaults._asdict().items() if type(value) in readers]
    numbers = {name: readers[type(value)](name, value, environ) for name, value in pairs if text_of(name.upper(), environ)}
    return defaults._replace(**numbers) if numbers else defaults


def count_of(name: str, default: int, environ: "Mapping[str, str]") -> int:
    """Read a whole number.

    :raises InvalidSetting: it is not a whole number above zero.
    """
    text = text_of(name.upper(), environ) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a whole number above zero, got {text!r}")
    return int(text)


def seconds_of(name: str, default: float, environ: "Mapping[str, str]") -> float:
    """Read a number of seconds.

    :raises InvalidSetting: it is not a number above zero and below 1e9.
    """
    text = text_of(name.upper(), environ) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e9:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a number of seconds above zero, got {text!r}")
    return number


def located(text: str, folder: str) -> str:
    """Make a relative path start at the handler's folder; an address stays as it is."""
    return text if "://" in text else joined(folder, text)


def redacted(text: str) -> str:
    """Shorten the text of a wrong setting for a message, without what may be a secret in it: a user, a password, a query."""
    start, scheme, rest = text.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{start}{scheme}{host.rpartition('@')[2]}{slash}{path}"[:80]

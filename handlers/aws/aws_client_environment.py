"""Read and set environment variables without Python's `os`, which takes longer to import than the rest of this client.

`posix.environ` is the dict under `os.environ`: a function that imports `os` sees every change.
"""

import sys
from posix import environ, putenv, unsetenv

ENCODING = sys.getfilesystemencoding(), "surrogateescape"


def variable(name: str) -> "str | None":
    """Return a variable's value, None if it is not set."""
    value = environ.get(name.encode())
    return None if value is None else value.decode(*ENCODING)


def needed(name: str) -> str:
    """Return the value of a variable that the platform always sets.

    :raises KeyError: it is not set.
    """
    value = variable(name)
    if value is None:
        raise KeyError(name)
    return value


def set_variable(name: str, value: "str | None") -> None:
    """Set a variable, or remove it if the value is None."""
    key = name.encode()
    if value is not None:
        text = value.encode(*ENCODING)
        putenv(key, text)
        environ[key] = text
    elif key in environ:
        unsetenv(key)
        del environ[key]

"""The errors of the toolkit: what stood in the way, and what to do about it.

An error that one module raises stands in that module, as a subclass of one line; those of several modules stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flyweight.errors import FlyweightError

P = ParamSpec("P")
R = TypeVar("R")


class ToolkitError(FlyweightError):
    """A request that can't be fulfilled; `next_step` says what to do instead."""

    next_step = ""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        if next_step:
            self.next_step = next_step


class BuildFailed(ToolkitError):
    """A folder that can't be built; nothing was changed."""


class CommandFailed(ToolkitError):
    """A program of others ended with an error; what it printed is in the message, or was seen as it ran."""


class DeployFailed(ToolkitError):
    """A deployment that can't be done, or that does not answer as it should."""


class NotInstalled(ToolkitError, ModuleNotFoundError):
    """A package of others that is needed and not installed here; the message says how to install it."""


class RuntimeFailed(ToolkitError):
    """A runtime that can't be started or has ended, or a function that raised."""


class Unpriced(ToolkitError):
    """A price, a limit or a region that no table has."""


def not_installed(what: str, error: ModuleNotFoundError) -> ModuleNotFoundError:
    """Make the error that says what needs a module that is missing here, and what installs it.

    :param what: is being done, as `flyweight.pack`.
    :returns: the error itself if it is about a module of flyweight, or says it already.
    """
    from flyweight.toolkit import installation

    module = error.name or ""
    if isinstance(error, NotInstalled) or module.partition(".")[0] in ("", "flyweight"):
        return error
    told = f"{what} needs the Python module {module}, which is not installed here: {installation.bringing(module)}"
    made = NotInstalled(told)
    made.name = module
    return made


def naming_extras(function: Callable[P, R]) -> Callable[P, R]:
    """Let a public function name the extra to install where a module is missing."""

    @wraps(function)
    def called(*values: P.args, **named: P.kwargs) -> R:
        try:
            return function(*values, **named)
        except ModuleNotFoundError as error:
            if (told := not_installed(f"flyweight.{function.__name__}", error)) is error:
                raise
            raise told from error

    return called

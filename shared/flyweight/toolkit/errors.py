"""The errors of the toolkit: what stood in the way, and what to do about it.

An error that one module raises stands in that module, as a subclass of one line; those of several modules stand here.
"""

from flyweight.errors import FlyweightError


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


class RuntimeFailed(ToolkitError):
    """A runtime that can't be started or has ended, or a function that raised."""


class Unpriced(ToolkitError):
    """A price, a limit or a region that no table has."""

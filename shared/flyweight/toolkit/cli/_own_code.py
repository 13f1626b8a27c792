"""The options `--steps` and `--import`, which load the user's own code; they stand before a verb or after it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from flyweight.toolkit.errors import ToolkitError

Command = Callable[..., Any]


def options(command: Command) -> Command:
    """Add both options to a verb; they take effect before the verb runs, and are no parameters of it."""
    command = click.option(
        "--import",
        "own_module",
        expose_value=False,
        callback=lambda _, __, value: bring(value),
        help="A Python module to import first; it may register conversions.",
    )(command)
    return click.option(
        "--steps",
        "own_steps",
        type=click.Path(),
        expose_value=False,
        callback=lambda _, __, value: use(value),
        help="A Python file that defines your own steps (docs/your-own-step.md).",
    )(command)


def bring(module: str | None) -> None:
    """Import a module, which is usually in the working directory; None for nothing.

    :raises ToolkitError: there is no such module, or it can't be imported.
    """
    if not module:
        return
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does
    try:
        import_module(module.removesuffix(".py"))
    except Exception as error:  # a user's module can raise anything
        step = "run it in the folder that contains the module, and install what the module imports"
        raise ToolkitError(f"--import {module}: {type(error).__name__}: {error}", step) from None


def use(steps: str | None) -> None:
    """Take the user's own steps from a file; None for nothing.

    :raises StepsRefused: the file has no table of steps, or can't be imported.
    :raises OSError: the file can't be read.
    """
    if steps:
        from flyweight.toolkit.packing import custom_steps

        custom_steps.use(steps)

"""The argument TARGET and the option `--target`, shared by the verbs."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import click
from click.shell_completion import CompletionItem

from flyweight.toolkit import targets
from flyweight.toolkit.targets import Target

Command = Callable[..., None]


class TargetName(click.ParamType):  # type: ignore[type-arg]
    """Converts the name of a target to the target; targets are listed only when a name is parsed."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Find the target with this name."""
        if isinstance(value, Target):
            return value
        if value not in targets.names():
            self.fail(f"the target {value!r} does not exist, choose one of {', '.join(targets.names())}", param, ctx)
        return targets.find(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a target."""
        return [CompletionItem(name) for name in targets.names() if name.startswith(incomplete)]


def argument(command: Command) -> Command:
    """Add the required argument TARGET to a verb, as its parameter `target`."""
    return _listed(click.argument("target", type=TargetName())(command))


def optional_argument(command: Command) -> Command:
    """Add the optional argument TARGET to a verb, as its parameter `target`."""
    return _listed(click.argument("target", type=TargetName(), required=False)(command))


def option(command: Command) -> Command:
    """Add the repeatable option `--target` to a verb, as its parameter `chosen`."""
    text = f"A target ({', '.join(targets.names())}); can be repeated.  [default: all]"
    return click.option("--target", "chosen", multiple=True, type=TargetName(), help=text)(command)


def _listed(command: Command) -> Command:
    """Add the names of the targets to the verb's help."""
    command.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\nTARGET is one of: {', '.join(targets.names())}."
    return command

"""The argument TARGET, shared by all verbs that take one."""

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
    """The name of a target, which becomes the target itself; targets are listed when a name is read."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Find the target of that name."""
        if isinstance(value, Target):
            return value
        if value not in targets.names():
            self.fail(f"there is no target {value!r}, choose one of {', '.join(targets.names())}", param, ctx)
        return targets.find(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a name."""
        return [CompletionItem(name) for name in targets.names() if name.startswith(incomplete)]


def argument(command: Command) -> Command:
    """The argument TARGET on a verb, which takes it as `target`."""
    return _listed(click.argument("target", type=TargetName())(command))


def optional_argument(command: Command) -> Command:
    """The argument TARGET on a verb that does without it, too."""
    return _listed(click.argument("target", type=TargetName(), required=False)(command))


def option(command: Command) -> Command:
    """The option `--target`, several times if need be, on a verb that takes them as `chosen`."""
    text = f"A target ({', '.join(targets.names())}); again for more.  [default: all]"
    return click.option("--target", "chosen", multiple=True, type=TargetName(), help=text)(command)


def _listed(command: Command) -> Command:
    """Say in the verb's help which targets there are."""
    command.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\nTARGET is one of: {', '.join(targets.names())}."
    return command

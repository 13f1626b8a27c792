"""The options that name a deployment, shared by the verbs that deploy a function and ask about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from flyweight.toolkit.cli import _show, _target
from flyweight.toolkit.deploying import Deployment
from flyweight.toolkit.targets import Target
from flyweight.toolkit.targets.commands import Runner
from flyweight.toolkit.targets.deployment import HOME

OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _target.argument,
    click.option("--name", default="flyweight", show_default=True, help="The function's name, and that of its stack or service."),
    click.option("--region", default="", help="Where it runs.  [default: the target's own, see docs/providers]"),
    click.option("--group", default="", help="The project or resource group that holds it.  [default: the tool's, or --name]"),
    click.option("--dry-run", is_flag=True, help="Print the commands, as a shell takes them, and run none."),
    click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON."),
)
PARAMETERS = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of infra/TARGET; may be given again."
)

INFRA = click.option(
    "--infra",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A project's own infra/.  [default: flyweight's]",
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Put the options on a verb."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def deployment(
    target: Target, name: str, region: str, group: str, folder: Path | None = None, parameters: tuple[str, ...] = (),
    infra: Path | None = None,
) -> Deployment:  # fmt: skip
    """The deployment that the options name.

    :raises BadParameter: the folder of `--infra` has no folder of this target, or a parameter is not NAME=VALUE.
    """
    pairs = dict(_pair(text) for text in parameters)
    hall = infra or target.hall("infra")
    if infra is not None and not (hall / target.name).is_dir():
        raise click.BadParameter(f"{hall} has no folder {target.name}", param_hint="--infra")
    return Deployment(name, region, group, folder or Path("build") / target.name, HOME / target.name, pairs, hall)


@dataclass
class Transcript:
    """What a verb shows of the commands that it runs: at once, or all at the end where JSON was asked for."""

    as_json: bool
    dry_run: bool
    commands: list[str] = field(default_factory=list)

    def runner(self) -> Runner:
        """What runs commands and shows them here."""
        return Runner(self._show, self.dry_run)

    def document(self, **values: Any) -> None:
        """All of it as JSON."""
        _show.document({"dry_run": self.dry_run, "commands": self.commands, **values})

    def _show(self, line: str) -> None:
        self.commands.append(line)
        if not self.as_json:
            click.echo(line if self.dry_run else f"$ {line}", err=not self.dry_run)


def _pair(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    :raises BadParameter: the text is not NAME=VALUE.
    """
    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals:
        raise click.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint="--set")
    return name, value

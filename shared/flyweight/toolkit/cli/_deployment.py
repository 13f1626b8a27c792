"""The options that identify a deployment, shared by the verbs that deploy a function or report on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click

from flyweight.toolkit.cli import _show, _target
from flyweight.toolkit.deploying import Deployment
from flyweight.toolkit.deploying.releases import only_name
from flyweight.toolkit.targets import Target, naming
from flyweight.toolkit.targets.commands import Runner
from flyweight.toolkit.targets.deployment import HOME
from flyweight.toolkit.targets.package import read_marker

CHOICE = click.option(
    "--cloud", "--platform", "platform", default="",
    help="Where a target of several platforms runs: aws, gcp, azure, none (vm); compose, fargate, ... (docker).",
)  # fmt: skip
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _target.argument,
    click.option(
        "--name", default="", help="The name of the function, and of its stack or service.  [default: that of the folder's model]"
    ),
    click.option("--region", default="", help="The region to deploy to.  [default: the target's, see docs/providers]"),
    click.option(
        "--group", default="", help="The project or resource group that contains it.  [default: the tool's setting, or --name]"
    ),
    CHOICE,
    click.option("--dry-run", is_flag=True, help="Print the shell commands without running them."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)
PLATFORM = ("cloud=", "platform=")  # parameters of a deployment that choose a platform, as `flyweight advise` writes them
PARAMETERS = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of infra/TARGET; can be repeated."
)

TAGS = click.option(
    "--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A tag (Google Cloud: label) of what is created; can be repeated."
)
INFRA = click.option(
    "--infra",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder to use instead of flyweight's infra/.",
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a verb; the target that it gets has its platform chosen."""

    @wraps(command)
    def chosen(*, target: Target, platform: str, **given: Any) -> None:
        target, parameters = on_platform(target, given.get("parameters", ()), platform)
        command(target=target, **({**given, "parameters": parameters} if "parameters" in given else given))

    for option in reversed(OPTIONS):
        chosen = option(chosen)
    return chosen


def on_platform(target: Target, parameters: tuple[str, ...], platform: str = "") -> tuple[Target, tuple[str, ...]]:
    """Choose the platform of a target by its name, or by a parameter such as `cloud=aws`, which is then left out.

    :raises UnknownTarget: the target has no such platform.
    """
    named = [text.partition("=")[2] for text in parameters if text.startswith(PLATFORM)]
    return target.on(platform or "".join(named[-1:])), tuple(text for text in parameters if not text.startswith(PLATFORM))


def deployment(
    target: Target, name: str, region: str, group: str, folder: Path | None = None, parameters: tuple[str, ...] = (),
    infra: Path | None = None, tags: tuple[str, ...] = (),
) -> Deployment:  # fmt: skip
    """Create the deployment that the options describe.

    Without a name it is called like the model in the folder. Where no folder is named either, it is the one that was deployed
    from here, if there is one alone, else the one in the usual folder.

    :raises BadParameter: the folder of `--infra` has no folder for this target, or a parameter or tag is not NAME=VALUE.
    :raises UsageError: there is neither a name nor a built folder.
    :raises DeployFailed: the provider does not take a name.
    """
    deployer = target.deployer  # a target without one is refused first
    pairs = dict(_pair(text) for text in parameters)
    hall = infra or target.hall("infra")
    if infra is not None and not (hall / target.name).is_dir():
        raise click.BadParameter(f"{hall} has no folder {target.name}", param_hint="--infra")
    name = name or ("" if folder else only_name(target.name))
    folder = folder or usual_folder(target)
    named = dict(_tag(text) for text in tags)
    made = Deployment(name or _of_model(folder), region, group, folder, HOME / target.name, pairs, named, hall, target.platform)
    deployer.refuse_names(made)
    return made


def usual_folder(target: Target) -> Path:
    """Return the folder that `flyweight build` makes by default."""
    return Path("build") / target.name


def _of_model(folder: Path) -> str:
    """Make a name from that of the model in a built folder.

    :raises UsageError: the folder is not built.
    """
    try:
        return naming.of_model(str(read_marker(folder)["model"]))
    except (OSError, ValueError, LookupError, TypeError):
        raise click.UsageError(f"add --name: {folder} is not a built folder, whose model would be the name") from None


@dataclass
class Transcript:
    """The commands that a verb runs: printed at once, or together at the end with `--json`."""

    as_json: bool
    dry_run: bool
    commands: list[str] = field(default_factory=list)

    def runner(self) -> Runner:
        """Return a runner that records its commands in this transcript."""
        return Runner(self._show, self.dry_run)

    def document(self, **values: Any) -> None:
        """Print the commands and these values as JSON."""
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


def _tag(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    :raises BadParameter: the text is not NAME=VALUE.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint="--tag")
    return name, value

"""The option `--environment` of `flyweight pack`: where an estimator is packed that other versions fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _show

if TYPE_CHECKING:
    from flyweight.toolkit.packing.estimator_files import EstimatorFile

ARGUMENTS = "flyweight.arguments"  # the command line's words, in click's `meta`


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option to a verb."""
    return click.option(
        "--environment",
        default="auto",
        show_default=True,
        metavar="auto|never|here|PATH",
        help="Where to pack an estimator that another version of its library fitted: in an environment with that version, which "
        "uv makes once (auto) or which you made (PATH); nowhere (never); or here, as the version here reads it.",
    )(command)


def pack_elsewhere(file: EstimatorFile, environment: str, quiet: bool) -> str | None:
    """Pack a file in the environment where it belongs, with the options of this command line; this ends the command.

    :param environment: the value of the option.
    :param quiet: whether to tell nothing of it.
    :returns: None if it belongs here; else, if the user wants it packed here, the versions that fitted it.
    :raises VersionMismatch: it belongs elsewhere, and is not to be packed there.
    :raises EnvironmentFailed: the environment can't be made or used.
    """
    from flyweight.toolkit.packing import environments
    from flyweight.toolkit.packing.estimator_files import mismatch

    context = click.get_current_context()
    other = file.differences
    named = environment not in ("auto", "never", "here")
    if not (other or named) or (named and environments.is_inside()):
        return None
    fitted_with = ", ".join(f"{one.distribution} {one.fitted}" for one in other)
    if environment == "here":
        note = f"{file.path} was fitted with {', '.join(map(str, other))}; it is packed as the version here reads it"
        click.echo(f"note: {note}, so its parity is not proved against the estimator that was fitted", err=True)
        return fitted_with
    requirements = file.requirements
    arguments = context.meta.get(ARGUMENTS, [])
    if other and (environment == "never" or environments.is_inside()):
        refused = mismatch(file.path, other)
        refused.next_step = environments.by_hand(requirements, arguments=_without_option(arguments))
        raise refused
    if named:
        place = environments.given(environment, requirements)
    else:
        if not quiet:
            told = f"{file.path} was fitted with {', '.join(map(str, other))}, so it is packed with the versions that fitted it"
            click.echo(f"{told}, in {environments.cache()}", err=True)
        with _show.progress(not quiet) as progress:
            place = environments.made(requirements, progress)
    context.exit(place.run(arguments, lambda text: click.echo(text, nl=False), lambda line: click.echo(line, err=True)))


def _without_option(arguments: list[str]) -> list[str]:
    """Drop `--environment` from the words of a command line, whose value another one replaces."""
    kept: list[str] = []
    for place, word in enumerate(arguments):
        if (
            word != "--environment"
            and not word.startswith("--environment=")
            and arguments[place - 1 : place] != ["--environment"]
        ):
            kept.append(word)
    return kept

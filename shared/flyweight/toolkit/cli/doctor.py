"""`flyweight doctor`: measure a built folder's cold start by step, beside an empty function, and name the costliest imports."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit import targets
from flyweight.toolkit.cli import _show, _target
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets import Target

if TYPE_CHECKING:
    from flyweight.toolkit.running.cold_start import ColdStart

EXAMPLES = """\b
Examples:
  flyweight doctor build/aws
  flyweight doctor build/aws --client own --at-most 0.6
  flyweight doctor build/gcp --rounds 5 --draw cold_start.svg
"""
WIDTH = 44  # characters of the longest bar


@click.command(epilog=EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--target", type=_target.TargetName(), help="The folder's target.  [default: the one that it was built for]")
@click.option(
    "--client", default="platform", show_default=True, help="What runs it: platform, or on aws and azure own: flyweight's."
)
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Fresh processes of each function.")
@click.option(
    "--at-most", type=click.FloatRange(0), help="Exit with 1 if the cold start is more than this many times an empty function's."
)
@click.option("--draw", type=click.Path(path_type=Path), help="Write a picture of the steps to this file: .svg, .png or .pdf.")
@click.option("--python", default=sys.executable, help="The Python interpreter to use.  [default: this one]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    folder: Path,
    target: Target | None,
    client: str,
    rounds: int,
    at_most: float | None,
    draw: Path | None,
    python: str,
    as_json: bool,
) -> None:
    """Measure the cold start of FOLDER, which `flyweight build` made, step by step.

    The folder and an empty function are started in fresh processes in turns, in the target's real runtime on this machine; the
    empty function always has the platform's own client. Medians are shown.
    """
    if draw is not None:
        from flyweight.toolkit.costs.picture import form_of

        form_of(draw)  # refused before anything is measured
    with _show.progress(not as_json) as advance:
        found = _examined(folder, target, client, rounds, python, advance)
    met = at_most is None or found.ratio <= at_most
    if draw is not None:
        from flyweight.toolkit.running import picture

        picture.draw(found, draw)
        click.echo(f"drawn: {draw}", err=True)
    if as_json:
        bound = {} if at_most is None else {"at_most": at_most, "met": met}
        _show.document({"folder": str(folder), **found.document(), **bound})
    else:
        _report(found, folder)
    if not met:
        click.echo(
            f"error: {folder}: the cold start is {found.ratio:.3f} of an empty function's, expected at most {at_most:g}\n"
            f"next: {_next_step(found)}",
            err=True,
        )
        click.get_current_context().exit(1)


def _examined(folder: Path, target: Target | None, client: str, rounds: int, python: str, advance: Any) -> ColdStart:
    """Measure a folder, after a check that it can be.

    :raises ToolkitError: the folder was not built, was built for another target or Python, or does not answer.
    """
    from flyweight.toolkit.building.folder import BuildFailed, model_of
    from flyweight.toolkit.events import samples
    from flyweight.toolkit.publishing.catalogue import file_at
    from flyweight.toolkit.running.cold_start import examine

    folder = folder.resolve()
    name, built = _built_for(folder, target, python)
    _check_starts(name, folder)
    try:
        model = model_of(folder)
    except BuildFailed:  # a folder of the user's own: only its handler knows what it takes
        model, document, event = "", None, samples.read(name, "predict")
    else:
        document = file_at(model).document
        event = samples.fitted(name, "predict", document)
    found = examine(name, folder, event, client=client, rounds=rounds, python=python, document=document, advance=advance)
    notes = [f"the model comes from {model}: the time to fetch it is that of this machine's network"] if "://" in model else []
    if built:
        notes.append(f"the folder has bytecode for Python {built}, which this Python can't use: give --python python{built}")
    return replace(found, notes=notes)


def _check_starts(name: str, folder: Path) -> None:
    """Check that a function of a target starts on this machine.

    :raises ToolkitError: it scores batches, or does not run here.
    """
    kind = targets.find(name)
    if kind.has("job") and not kind.has("runtime"):
        why = f"{name} scores batches and answers no requests, so that there is no cold start to measure"
        raise ToolkitError(why, f"score the model's own sample with it: flyweight invoke {name} --folder {folder}")


def _built_for(folder: Path, target: Target | None, python: str) -> tuple[str, str]:
    """Find the target of a folder, and the Python version that it has bytecode for, "" if that is this one.

    :raises ToolkitError: the folder does not say for which target it is, or it can't run here.
    """
    import platform

    from flyweight.toolkit.building.bytecode import version_of
    from flyweight.toolkit.targets.package import MARKER, read_marker, unfit

    if not (folder / MARKER).is_file():
        if target is not None:
            return target.name, ""
        step = f"build it: flyweight build TARGET --model FILE -o {folder}; or name the target of a folder of your own: --target"
        raise ToolkitError(f"{folder} is not a built folder: it has no {MARKER}", step)
    version = version_of(python)
    try:
        marker = read_marker(folder)
        name = target.name if target is not None else str(marker["target"])
    except (ValueError, KeyError, TypeError):
        name = ""  # `unfit` says what is wrong
    if fault := unfit(folder, name, version, platform.machine()):
        raise ToolkitError(fault, "build it for this use: flyweight build TARGET --model FILE")
    compiled = marker.get("python")
    return name, compiled if compiled and version and compiled != version else ""


def _report(found: ColdStart, folder: Path) -> None:
    """Show the steps as bars that follow one another, memory, and the costliest imports."""
    from flyweight.toolkit.running.cold_start import PLATFORM

    longest, begun, rows = max(found.total, found.empty), 0.0, []
    for step, spent in found.steps.items():
        rows.append((step, _ms(spent), _bar(begun, begun + spent, longest)))
        begun += spent
    rows.append(("this folder", _ms(found.total), _bar(0.0, found.total, longest)))
    rows.append(("an empty function", _ms(found.empty), _bar(0.0, found.empty, longest)))
    drawn = f"medians of {found.rounds} rounds" if found.rounds > 1 else "one round"
    _show.columns(f"{folder} for {found.target}, {found.runtime}: {drawn}", ("", "ms", ""), rows)
    beside = "" if found.client == PLATFORM else ", which has the platform's own client"
    click.echo(f"the cold start is {found.ratio:.2f} of an empty function's{beside}")
    if found.memory and found.empty_memory:
        share, theirs = found.memory / found.empty_memory, _show.size(found.empty_memory)
        click.echo(f"peak memory: {_show.size(found.memory)}, {share:.2f} of an empty function's {theirs}")
    imports = [(one.name, _ms(one.seconds), one.by, one.advice) for one in found.imports]
    rest = imports or [("nothing beyond an empty function's", "", "", "")]
    _show.columns("\ncostliest imports, in one process that lists them", ("package", "ms", "imported by", "advice"), rest)
    for note in found.notes:
        click.echo(f"note: {note}")


def _next_step(found: ColdStart) -> str:
    """Name the costliest import for which there is advice, or else the longest step."""
    for one in found.imports:
        if one.advice:
            by = f", imported by {one.by}" if one.by else ""
            return f"{one.name} takes {_ms(one.seconds)} ms{by}: {one.advice}"
    longest = max(found.steps, key=lambda step: found.steps[step])
    return f"the longest step is {longest}, {_ms(found.steps[longest])} ms; docs/doctor.md says what it consists of"


def _bar(begin: float, end: float, longest: float) -> str:
    """Draw a bar from one time to another, at least a stroke."""
    first, last = (round(WIDTH * at / longest) for at in (begin, end))
    return " " * first + ("█" * (last - first) or "▏")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f}"

"""Compare cold start, warm calls, memory and size with an empty function, onnxruntime and scikit-learn, in real runtimes."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks import figures, folders, picture, rounds, show
from benchmarks.environments import ROOT, python_of, versions
from benchmarks.folders import KINDS, OWN, PROVIDERS, CannotConvert, Function
from benchmarks.models import MODELS
from flyweight.toolkit.building.bytecode import interpreter, version_of

RESULTS = ROOT / "benchmarks" / "results"
PICTURE = ROOT / "docs" / "images" / "cold_start.svg"
BUILD = ROOT / "build" / "bench"
TOLD = ("scikit-learn", "numpy", "pandas", "onnxruntime", "awslambdaric", "functions-framework", "azure-functions-runtime")


def _several(allowed: Sequence[str]) -> Any:
    """Split an option's value at commas; the first word of a function's name is enough."""

    def read(ctx: click.Context, parameter: click.Parameter, text: str | None) -> list[str]:
        short = {name.partition(" ")[0]: name for name in allowed}
        chosen = [short.get(word, word) for word in (text or ",".join(allowed)).split(",")]
        if unknown := [word for word in chosen if word not in allowed]:
            raise click.BadParameter(f"{', '.join(unknown)}; there are {', '.join(allowed)}")
        return [name for name in allowed if name in chosen]

    return read


@click.command()
@click.option(
    "--rounds", "count", default=7, show_default=True, type=click.IntRange(1), help="Fresh processes for each function."
)
@click.option("--models", callback=_several([*MODELS]), help=f"Models to measure, among {','.join(MODELS)}.")
@click.option("--providers", callback=_several(PROVIDERS), help=f"Providers to measure, among {','.join(PROVIDERS)}.")
@click.option(
    "--functions", "kinds", callback=_several(KINDS), help="Functions to measure: empty,flyweight,own,onnxruntime,joblib."
)
@click.option("--quick", is_flag=True, help="Two rounds on aws, of linear and forest.")
@click.option("--python", "version", help="The Python version to measure: 3.11, 3.12, 3.13 or 3.14.  [default: this one's]")
@click.option("--here", is_flag=True, help="Run the functions in this environment instead of clean ones.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder for cold_start.json.  [default: depends on what is measured]"
)
def main(
    count: int,
    models: list[str],
    providers: list[str],
    kinds: list[str],
    quick: bool,
    version: str | None,
    here: bool,
    out: Path | None,
) -> None:
    """Measure flyweight's functions and the usual ones, each in its provider's real runtime."""
    if quick:
        count, models, providers = 2, ["linear", "forest"], ["aws"]
    complete = not here and version is None and (models, providers, kinds) == ([*MODELS], [*PROVIDERS], [*KINDS])
    base = interpreter(version) if version else sys.executable
    used = [*providers, *(target for one in providers if OWN in kinds and (target := folders.own_target(one)) not in ("", one))]
    console = Console(width=max(Console().width, 150))
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("setting up the runtimes' environments", total=None)
        pythons = {target: Path(base) if here else python_of(target, base) for target in used}
        bar.update(task, description="building the functions")
        functions, refused = _built(providers, models, kinds, base)
        bar.update(task, description="measuring", total=len(functions) * (count + 1))
        began = _now()
        series = rounds.measure(
            functions, pythons, count, warm_calls=50, handler_calls=1000, advance=lambda: bar.update(task, advance=1)
        )
    results = [figures.of(function, series, pythons[function.target]) for function in functions]
    document: dict[str, Any] = {
        "machine": _machine(pythons, base),
        "began": began,
        "ended": _now(),
        "rounds": count,
        "results": results,
        "refused_by_skl2onnx": refused,
        "ranges": figures.ranges(results),
        "answers": figures.differences(series),
        "targets": figures.judged(results),
    }
    show.results(console, results, refused)
    show.ranges(console, document["ranges"])
    show.differences(console, document["answers"])
    show.targets(console, document["targets"])
    _write(document, out or (RESULTS if complete else BUILD), complete and out is None)


def _built(providers: list[str], models: list[str], kinds: list[str], python: str) -> tuple[list[Function], dict[str, str]]:
    """Build the folders, and note why skl2onnx refuses a model."""
    functions: list[Function] = []
    refused: dict[str, str] = {}
    for name in models:
        folders.model_file(MODELS[name](), BUILD)
    for provider in providers:
        for name in models:
            for kind in [kind for kind in kinds if folders.offered(provider, kind)]:
                try:
                    functions.append(folders.make(provider, MODELS[name](), kind, BUILD, python))
                except CannotConvert as error:
                    refused[name] = str(error)
    return functions, refused


def _machine(pythons: dict[str, Path], base: str) -> dict[str, Any]:
    found = {package: version for python in pythons.values() for package, version in versions(python).items()}
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version() if base == sys.executable else version_of(base),
        "versions": {package: found[package] for package in TOLD if package in found},
    }


def _now() -> dict[str, Any]:
    """Note the time and the machine's load: load changes milliseconds, but hardly ratios."""
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "load": round(os.getloadavg()[0], 2)}


def _write(document: dict[str, Any], place: Path, with_picture: bool) -> None:
    place.mkdir(parents=True, exist_ok=True)
    path = place / "cold_start.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    click.echo(f"written: {os.path.relpath(path)}")
    if with_picture:
        picture.draw(document, PICTURE)
        click.echo(f"written: {os.path.relpath(PICTURE)}")


if __name__ == "__main__":
    main()

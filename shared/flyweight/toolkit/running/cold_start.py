"""Measure a built folder's cold start by step, in turns with an empty function under the platform's own client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.building import bytecode
from flyweight.toolkit.running import Answer, Runtime, import_times
from flyweight.toolkit.running.import_times import Costly
from flyweight.toolkit.running.measure import split, write_bytecode

PLATFORM = "platform"  # the name of the platform's own client
STEPS = {
    # the steps of a cold start in their order, and what is counted to them
    "interpreter": "from exec to the first line of a program, without Python's module `site`",
    "client": "what runs the function, `site`, and the transport of an event and its answer",
    "import": "handler, core, and what they import",
    "fetch": "reading the model from its store",
    "verify": "checking its digest and signature",
    "load": "making the model from its file",
    "first answer": "decoding, predicting, encoding",
}
ASKED = {"fetch": "fetch", "verify": "verify", "load": "load", "predict": "first answer"}  # by their names in Server-Timing
# Python's own start, without its module `site`, which a client may leave out, up to the first line of a program.
STARTED = ["-S", "-c", "import sys\nsys.stdout.buffer.raw.write(b'.')"]


@dataclass(frozen=True)
class ColdStart:
    """A folder's cold start beside an empty function's; times are medians in seconds, memory is the peak in bytes.

    `steps`: by the names of `STEPS`, those that the function has; `ratio`: the median of the rounds' ratios to the empty
    function; `notes`: what a reader should know of the figures.
    """

    target: str
    client: str
    runtime: str
    rounds: int
    steps: Mapping[str, float]
    total: float
    empty: float
    ratio: float
    memory: int | None
    empty_memory: int | None
    imports: list[Costly]
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, times in milliseconds."""
        return {
            "target": self.target, "client": self.client, "runtime": self.runtime, "rounds": self.rounds,
            "steps_ms": {step: round(1000 * spent, 3) for step, spent in self.steps.items()},
            "total_ms": round(1000 * self.total, 3), "empty_ms": round(1000 * self.empty, 3), "ratio": round(self.ratio, 4),
            "memory_bytes": self.memory, "empty_memory_bytes": self.empty_memory,
            "imports": [one.document() for one in self.imports], "notes": self.notes,
        }  # fmt: skip


@dataclass
class Series:
    """One folder in one runtime, with the results of its rounds."""

    kind: type[Runtime]
    folder: Path
    environ: Mapping[str, str]
    answers: list[Answer] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    description: str = ""

    def ask(self, event: Any, python: str, more: Mapping[str, str] | None = None) -> tuple[Answer, str]:
        """Answer an event in a fresh process.

        :returns: the answer, and what the process wrote.
        :raises RuntimeFailed: it does not answer, or not with a success.
        """
        with self.kind(self.folder, python=python, environ={**self.environ, **(more or {})}) as process:
            answer = process.invoke(event)
            if answer.status >= 400:
                said = answer.body.decode(errors="replace")[:500]
                raise process.failed(f"the function answers the event `predict` with status {answer.status}: {said}")
            if not more:
                self.description = process.description
                self.memory += [memory] if (memory := process.peak_memory()) else []
            return answer, process.log()

    def take(self, event: Any, python: str) -> None:
        """Add one round."""
        self.answers.append(self.ask(event, python)[0])

    @property
    def seconds(self) -> list[float]:
        """The cold starts of all rounds."""
        return [answer.seconds for answer in self.answers]


def examine(
    target: str,
    folder: Path,
    event: Any,
    *,
    client: str = PLATFORM,
    rounds: int = 15,
    python: str = sys.executable,
    document: Mapping[str, Any] | None = None,
    advance: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> ColdStart:
    """Start a folder and an empty function in fresh processes in turns, and split the folder's cold start into its steps.

    :param client: what runs the folder, one of the `CLIENTS` of the target's runtime; the empty function has the platform's own.
    :param document: the document of the folder's model file, for the advice; None without one.
    :param advance: called with a stage, the rounds done, and all rounds.
    :raises ToolkitError: the target does not exist, or has no runtime or no such client.
    :raises RuntimeFailed: the runtime is not installed, or the function does not answer.
    """
    kind = targets.find(target).runtime
    ours = Series(kind, folder, {**kind.settings(event), **kind.client(client)})
    advance("starting the folder once, uncounted", 0, 0)
    write_bytecode(kind, folder, event, python, ours.environ)
    with _beside(kind, ours, event, python) as (empty, bare):
        others = [empty, *([bare] if bare is not None and bare is not empty else [])]
        interpreter: list[float] = []
        for done in range(rounds):
            advance("starting fresh processes in turns", done, rounds)
            interpreter.append(_interpreter(python))
            for series in (*others, ours):
                series.take(event, python)
        advance("listing imports", rounds, rounds)
        imports = _imports(ours, bare or empty, event, python, document)
    ratios = [mine / theirs for mine, theirs in zip(ours.seconds, empty.seconds, strict=True)]
    return ColdStart(
        target, client, ours.description, rounds, steps(ours, bare, median(interpreter)), median(ours.seconds),
        median(empty.seconds), median(ratios), _most(ours), _most(empty), imports,
    )  # fmt: skip


@contextmanager
def _beside(kind: type[Runtime], ours: Series, event: Any, python: str) -> Iterator[tuple[Series, Series | None]]:
    """Make an empty function under the platform's client, and one under the folder's own client if that can run one.

    :returns: both; the second is None if this client runs nothing but the model.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "empty"
        folder.mkdir()
        empty = Series(kind.empty(folder), folder, {})
        bytecode.compile_tree(folder, python)
        empty.ask(event, python)  # uncounted, as the folder's first
        if not ours.environ and empty.kind is kind:
            yield empty, empty
            return
        copy = Path(place) / "bare"
        shutil.copytree(ours.folder, copy)
        shutil.copytree(folder, copy, dirs_exist_ok=True)  # its bytecode too, in place of the handler's entry
        bare = Series(kind, copy, ours.environ)
        yield empty, bare if split(bare.ask(event, python)[0]) is None else None


def _interpreter(python: str) -> float:
    """Measure the seconds from exec to the first line of a program."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    began = perf_counter()
    with subprocess.Popen([python, *STARTED], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        return perf_counter() - began


def steps(ours: Series, bare: Series | None, interpreter: float) -> dict[str, float]:
    """Split the median cold start; the import is what no other step takes.

    Without an empty function under the same client, the import is what the function itself counts, and the rest is the client's.

    :param ours: the folder's rounds.
    :param bare: those of an empty function under the same client, None if there is no such function.
    :param interpreter: the seconds of Python's own start.
    :returns: seconds by the names of `STEPS`.
    """
    parts: dict[str, list[float]] = {}
    for answer in ours.answers:
        for name, spent in (split(answer) or {}).items():
            parts.setdefault(name, []).append(spent)
    known = {ASKED[name]: median(spent) for name, spent in parts.items() if name in ASKED}
    rest = max(median(ours.seconds) - sum(known.values()), 0.0)
    interpreter = min(interpreter, rest)
    rest -= interpreter
    if bare is not None:
        client = min(max(median(bare.seconds) - interpreter, 0.0), rest)  # noise may make it more
    else:
        client = max(rest - median(parts.get("import", [0.0])), 0.0)
    taken = {"interpreter": interpreter, "client": client, "import": rest - client, **known}
    return {step: taken[step] for step in STEPS if step in taken}


def _imports(ours: Series, other: Series, event: Any, python: str, document: Mapping[str, Any] | None) -> list[Costly]:
    """Start both once more with Python's own list of imports."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "importers.tsv"
        variables = import_times.variables(path)
        log = ours.ask(event, python, variables)[1]
        importers = import_times.read_importers(path)
        empty = other.ask(event, python, variables)[1]
    return import_times.costliest(log, empty, importers, ours.folder, document)


def _most(series: Series) -> int | None:
    return int(median(series.memory)) if series.memory else None

"""Measure functions in turns: every round asks each function, so that changes of the machine's load affect all of them alike."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.folders import OWN, Function
from flyweight.toolkit.running import Answer, RuntimeFailed, runtime

LOOP = Path(__file__).with_name("handler_loop.py")
LIGHT, MOST = 0.5, 5  # seconds for each function's cold starts in a round, and the most processes; at least one


@dataclass
class Series:
    """The results, one value for each round: seconds, and bytes for `memory`; `warm` and `handler` have each call."""

    runtime: str = ""
    answer: Answer | None = None
    cold: list[float] = field(default_factory=list)
    warm: list[list[float]] = field(default_factory=list)
    handler: list[list[float]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def measure(
    functions: Sequence[Function],
    pythons: Mapping[str, Path],
    rounds: int,
    *,
    warm_calls: int,
    handler_calls: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> dict[Function, Series]:
    """Ask each function in fresh processes, several in a round if they start fast, after a round that is not counted.

    :param pythons: the interpreter of each target.
    :param warm_calls: later invocations of each process, through the runtime.
    :param handler_calls: calls of the handler in a process without a runtime; 0 leaves that process out.
    :raises RuntimeFailed: a function does not answer.
    """
    series = {function: Series() for function in functions}
    times = dict.fromkeys(functions, 1)
    for number in range(-1, rounds):
        for function in _rotated(functions, number):
            python = pythons[function.target]
            asked = [_ask(function, python, warm_calls, counted=number >= 0) for _ in range(times[function])]
            if number < 0:
                times[function] = max(1, min(MOST, int(LIGHT / asked[0].cold[0])))
            else:
                alone = handler_calls and function.kind != OWN  # without a runtime it is the same as without this client
                handler = [_loop(function, python, handler_calls)] if alone else []
                _add(series[function], asked, handler)
            advance()
    return series


def ratio(values: Iterable[float], base: Iterable[float]) -> float:
    """Compute the median, over the rounds, of the ratio of two functions' values in the same round."""
    return median(value / other for value, other in zip(values, base, strict=True))


def _rotated(functions: Sequence[Function], number: int) -> list[Function]:
    """Rotate the functions, so that another one is first in each round: after a slow one the machine is busier."""
    start = max(number, 0) % len(functions)
    return [*functions[start:], *functions[:start]]


def _ask(function: Function, python: Path, warm_calls: int, counted: bool) -> Series:
    # The uncounted round writes the packages' bytecode, which an installer may not have made; a folder has its own.
    environ = {**function.environ, **({} if counted else {"PYTHONDONTWRITEBYTECODE": ""})}
    with runtime(function.target)(function.folder, python=str(python), environ=environ) as process:
        answer = process.invoke(function.event)
        if answer.status != 200:
            raise RuntimeFailed(f"{function.kind} answered {answer.status}: {answer.body.decode(errors='replace')[:500]}")
        warm = [process.invoke(function.event).seconds for _ in range(warm_calls if counted else 0)]
        memory = process.peak_memory()
        return Series(process.description, answer, [answer.seconds], [warm], memory=[] if memory is None else [memory])


def _add(series: Series, asked: list[Series], handler: list[list[float]]) -> None:
    """Add one round: the medians of its processes, and the calls of all of them."""
    series.runtime, series.answer = asked[0].runtime, asked[0].answer
    series.cold.append(median(one.cold[0] for one in asked))
    series.warm.append([seconds for one in asked for seconds in one.warm[0]])
    series.memory += [max(memories)] if (memories := [memory for one in asked for memory in one.memory]) else []
    series.handler += handler


def _loop(function: Function, python: Path, calls: int) -> list[float]:
    with tempfile.TemporaryDirectory() as place:
        event, out = Path(place) / "event.json", Path(place) / "taken.json"
        event.write_text(json.dumps(function.event))
        command = [str(python), "-P", str(LOOP), function.provider, str(function.folder), str(event), str(out), str(calls)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        # Log lines go to a file, as they would under a runtime.
        with tempfile.TemporaryFile() as log:
            done = subprocess.run(command, env={**environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=log, stderr=log)
            if done.returncode:
                log.seek(0)
                raise RuntimeFailed(f"{function.kind}'s handler does not answer:\n{log.read().decode(errors='replace')[-2000:]}")
        taken: list[float] = json.loads(out.read_text())
        return taken

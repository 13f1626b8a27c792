"""A folder, an event and a number of runs to figures: cold start and its parts, warm calls, memory, size."""

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low, quantiles
from typing import Any

from flyweight.toolkit.running import Answer, Runtime, runtime


@dataclass(frozen=True)
class Figures:
    """What was measured; times in seconds, sizes in bytes.

    `cold`: exec to first answer, one a fresh process; `split`: the parts of the median one, where the answer tells them;
    `warm`: later invocations of the last process; `memory`: the most that the answering process held (None: not Linux);
    `log`: what the last process printed until its first answer.
    """

    runtime: str
    answer: Answer
    cold: list[float]
    split: dict[str, float] | None
    warm: list[float]
    memory: int | None
    size: int
    log: str

    @property
    def cold_median(self) -> float:
        """The median cold start."""
        return median_low(self.cold)

    def warm_percentile(self, percent: int) -> float | None:
        """A percentile of the warm invocations; None if there were fewer than two."""
        return quantiles(self.warm, n=100, method="inclusive")[percent - 1] if len(self.warm) > 1 else None

    def document(self) -> dict[str, Any]:
        """The figures for JSON, times in milliseconds."""
        p50, p95 = self.warm_percentile(50), self.warm_percentile(95)
        return {
            "runtime": self.runtime,
            "cold_ms": round(1000 * self.cold_median, 3),
            "cold_runs_ms": [round(1000 * seconds, 3) for seconds in self.cold],
            "split_ms": self.split and {part: round(1000 * seconds, 3) for part, seconds in self.split.items()},
            "warm_p50_ms": p50 and round(1000 * p50, 4),
            "warm_p95_ms": p95 and round(1000 * p95, 4),
            "memory_bytes": self.memory,
            "folder_bytes": self.size,
        }


def measure(
    target: str,
    folder: Path,
    event: Any,
    *,
    runs: int = 1,
    repeat: int = 0,
    python: str = sys.executable,
    environ: Mapping[str, str] | None = None,
) -> Figures:
    """Answer `event` in `runs` fresh processes, and `repeat` times more in the last.

    :raises RuntimeFailed: the runtime is not installed, or the function does not answer.
    """
    start = runtime(target)
    _write_bytecode(start, folder, event, python, environ or {})
    firsts: list[Answer] = []
    warm: list[float] = []
    for number in range(runs):
        with start(folder, python=python, environ=environ) as process:
            firsts.append(process.invoke(event))
            if number == runs - 1:
                log = process.log()
                warm = [process.invoke(event).seconds for _ in range(repeat)]
                memory = process.peak_memory()
    cold = [answer.seconds for answer in firsts]
    typical = firsts[cold.index(median_low(cold))]
    return Figures(process.description, firsts[0], cold, split(typical), warm, memory, folder_size(folder), log)


def split(answer: Answer) -> dict[str, float] | None:
    """A cold start by what it was spent on, in seconds; None if the answer carries no Server-Timing.

    "runtime" is all that is not ours: interpreter, the provider's runtime, transport.
    """
    spent = re.findall(r"(\w+);dur=([0-9.]+)", answer.headers.get("server-timing", ""))
    parts = {{"init": "import"}.get(name, name): float(duration) / 1000 for name, duration in spent}
    if not parts:
        return None
    return {"runtime": max(answer.seconds - sum(parts.values()), 0.0), **parts}


def folder_size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _write_bytecode(start: type[Runtime], folder: Path, event: Any, python: str, environ: Mapping[str, str]) -> None:
    """Answer once, uncounted, so that installed packages have the bytecode that the real runtime ships.

    From a copy, because the folder itself keeps just the bytecode that it came with.
    """
    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(folder, Path(place) / folder.name)
        with start(copy, python=python, environ={**environ, "PYTHONDONTWRITEBYTECODE": ""}) as process:
            process.invoke(event)

"""Measure a folder in its runtime: cold start and its parts, warm calls, memory, size."""

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
    """The measured figures; times in seconds, sizes in bytes.

    `cold`: exec to first answer, one per fresh process; `split`: the parts of the median one, if the answer contains them;
    `warm`: later invocations of the last process; `memory`: the peak of the answering process (None if not on Linux);
    `log`: the output of the last process up to its first answer.
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
        """The median cold start in seconds."""
        return median_low(self.cold)

    def warm_percentile(self, percent: int) -> float | None:
        """Compute a percentile of the warm invocations in seconds; None for fewer than two."""
        return quantiles(self.warm, n=100, method="inclusive")[percent - 1] if len(self.warm) > 1 else None

    def document(self) -> dict[str, Any]:
        """Return the figures as a JSON object, times in milliseconds."""
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
    """Answer `event` in `runs` fresh processes, and `repeat` more times in the last one.

    :raises RuntimeFailed: the runtime is not installed, or the function does not answer.
    """
    start = runtime(target)
    write_bytecode(start, folder, event, python, environ or {})
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
    """Split a cold start into its parts, in seconds; None if the answer has no Server-Timing header.

    "runtime" is everything outside flyweight: the interpreter, the provider's runtime, transport.
    """
    spent = re.findall(r"(\w+);dur=([0-9.]+)", answer.headers.get("server-timing", ""))
    parts = {{"init": "import"}.get(name, name): float(duration) / 1000 for name, duration in spent}
    if not parts:
        return None
    return {"runtime": max(answer.seconds - sum(parts.values()), 0.0), **parts}


def folder_size(folder: Path) -> int:
    """Count the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_bytecode(start: type[Runtime], folder: Path, event: Any, python: str, environ: Mapping[str, str]) -> None:
    """Answer once without measuring, so that installed packages have bytecode, as in the real runtime.

    Uses a copy of the folder, so that the folder's own bytecode does not change.

    :raises RuntimeFailed: the function does not answer.
    """
    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(folder, Path(place) / folder.resolve().name)  # "." has no name
        with start(copy, python=python, environ={**environ, "PYTHONDONTWRITEBYTECODE": ""}) as process:
            process.invoke(event)

"""Run models' batches in one array namespace, beside NumPy in the same process: what `benchmarks.gpu` starts for each namespace.

    python -m benchmarks.array_worker torch FOLDER --repeat 3

A folder holds for each model NAME.safetensors and NAME.npy or, with strings, NAME.json. The worker needs NumPy, flyweight and the
namespace's library alone. It prints one JSON object a model, and ends with 3 where the library or the device is not there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))

import numpy as np

from flyweight.engines import _arrays
from flyweight.engines._namespaces import NAMESPACES, Namespace, namespace_of
from flyweight.engines.numpy import Engine
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor

NOT_HERE = 3


def strict(device: str) -> Namespace:
    """Take array-api-strict, which has nothing but the standard and so finds what other namespaces may lack."""
    import array_api_strict as xp

    return Namespace(xp, "the processor", xp.asarray, np.asarray)


def compared(path: Path, asked: str, repeat: int) -> dict[str, Any]:
    """Answer a model's rows in NumPy and in the namespace, and measure.

    :returns: per output how far both lie apart and whether all is equal; seconds to load, and for all rows.
    :raises ModelRefused: the namespace refuses the model.
    """
    file = model_file.parse(path.read_bytes())
    rows = rows_of(path)
    predictor = Predictor(file)
    plan: Any = predictor.engine.plan  # type: ignore[attr-defined]
    usual, began = Engine(file, plan), time.perf_counter()
    engine = _arrays.Engine(file, plan, asked)
    loaded, names = time.perf_counter() - began, tuple(predictor.engine.widths)
    theirs, numpy_seconds = timed(lambda: usual.arrays(rows, names), repeat)
    first = timed(lambda: engine.arrays(rows, names), 1)[1]
    ours, seconds = timed(lambda: engine.arrays(rows, names), repeat)
    return {
        "model": path.stem,
        "rows": len(rows),
        "device": engine.namespace.device,
        "stays": engine.stays,
        "answers": {name: apart(a, b) for name, a, b in zip(names, ours, theirs, strict=True)},
        "seconds": {"load": loaded, "first": first, "numpy": numpy_seconds, "here": seconds},
    }


def rows_of(path: Path) -> Any:
    """Read a model's rows: an array of float64 of shape (rows, features), NaN where a value is missing; a list with strings."""
    if path.with_suffix(".npy").exists():
        return np.load(path.with_suffix(".npy"), allow_pickle=False)
    return json.loads(path.with_suffix(".json").read_text())


def timed(run: Callable[[], Any], repeat: int) -> tuple[Any, float]:
    """Run a function some times.

    :returns: its last answer, and the least time in seconds.
    """
    least, answer = float("inf"), None
    for _ in range(repeat):
        began = time.perf_counter()
        answer = run()
        least = min(least, time.perf_counter() - began)
    return answer, least


def apart(ours: Any, theirs: Any) -> dict[str, Any]:
    """Compare two tables.

    :returns: whether all is equal, in how many rows something is not, and the largest difference over the largest number.
    """
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    scale = max(1.0, float(np.nanmax(np.abs(b), initial=0.0)))
    differ = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    largest = float(np.abs(a - b)[differ].max(initial=0.0)) / scale
    return {"equal": not differ.any(), "rows": int(differ.any(axis=1).sum()), "apart": largest}


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("namespace")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args()
    NAMESPACES.setdefault("strict", strict)
    try:
        namespace_of(given.namespace)
    except ModelRefused as refused:
        print(refused, file=sys.stderr)
        sys.exit(NOT_HERE)
    for path in sorted(given.folder.glob("*.safetensors")):
        print(json.dumps(compared(path, given.namespace, given.repeat)), flush=True)


if __name__ == "__main__":
    main()

"""Measure how long packing takes, and how much memory beside the estimator's own: wide tables, a large forest, refused rows.

    python -m benchmarks.packing [wide] [frame] [forest] [plain] [log1p]

Each case runs in a process of its own. Writes benchmarks/results/packing.json. The forest takes minutes to train.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from flyweight.toolkit.packing.pack import pack

RESULTS = Path(__file__).resolve().parent / "results" / "packing.json"
SAMPLE = 200
NODE_BYTES = 64  # of a tree in scikit-learn, without the values of its outputs
Case = tuple[Any, Any]  # a fitted estimator and its sample


def wide() -> Case:
    """Fit a scaler and a linear model on 5,000 columns of an array."""
    X = np.random.default_rng(0).normal(size=(300, 5000))
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)).fit(X, X[:, 0] > 0), X[:SAMPLE]


def frame() -> Case:
    """Fit them on a DataFrame."""
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 5000)), columns=[f"c{place}" for place in range(5000)])
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)).fit(X, X["c0"] > 0), X[:SAMPLE]


def forest() -> Case:
    """Fit 500 trees on 50,000 rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50_000, 10))
    y = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=len(X)) > 0
    return RandomForestClassifier(500, random_state=0).fit(X, y), X[:SAMPLE]


def plain() -> Case:
    """Fit a forest behind a scaler, which refuses no number."""
    return _behind(StandardScaler())


def log1p() -> Case:
    """Fit a forest behind log1p, so that it refuses what is below -1."""
    return _behind(FunctionTransformer(np.log1p))


def _behind(step: Any) -> Case:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"b": rng.lognormal(size=1000), "x": rng.normal(size=1000)})
    columns = make_column_transformer((step, ["b"]), remainder="passthrough")
    model = RandomForestClassifier(300, max_depth=6, random_state=0)
    return make_pipeline(columns, model).fit(X, X["b"] + X["x"] > 1), X[:SAMPLE]


CASES: tuple[Callable[[], Case], ...] = (wide, frame, forest, plain, log1p)


def measured(case: Callable[[], Case]) -> dict[str, Any]:
    """Fit and pack one case in this process.

    :returns: seconds of packing, of the clock and of the processor; the highest memory during it, beyond that before it; and the
        memory of the estimator's own nodes, for a forest.
    """
    estimator, sample = case()
    pack(DecisionTreeClassifier(max_depth=2).fit(np.eye(4), [0, 1, 0, 1]), sample=np.eye(4), edge_count=5)  # imports
    before, began, used = _status("VmRSS"), time.perf_counter(), time.process_time()
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory is counted from now on
    packed = pack(estimator, sample=sample)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    trees = [tree.tree_ for tree in getattr(estimator, "estimators_", [])]
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "rows_compared": packed.parity.rows_sample + packed.parity.rows_edge,
        "file_bytes": len(packed.data),
        "more_memory": 1000 * (_status("VmHWM") - before),
        "own_memory": sum(tree.node_count * NODE_BYTES + tree.value.nbytes for tree in trees) or None,
    }


def _status(name: str) -> int:
    """Read one figure of this process in kB; Linux alone has them."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def main(names: list[str]) -> None:
    """Measure the cases of these names, or all, and write and print the figures."""
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for case in CASES:
        if not names or case.__name__ in names:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                results[case.__name__] = pool.apply(measured, (case,))
            print(case.__name__, results[case.__name__], flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

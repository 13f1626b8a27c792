"""Compare trees with onnxruntime and scikit-learn, on one thread: one row, 10,000 rows, and a forest of five million nodes."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import joblib
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_breast_cancer, make_classification, make_regression
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)

from benchmarks import show
from benchmarks.environments import ROOT
from flyweight.engines import numpy as batches
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack

RESULTS = ROOT / "benchmarks" / "results" / "trees.json"
ROWS = 10_000
Runs = dict[str, Callable[[], Any]]


def models() -> dict[str, tuple[Any, Any]]:
    """Fit the estimators, each with its table."""
    X, y = load_breast_cancer(return_X_y=True)
    D, t = make_classification(20_000, 20, n_informative=10, random_state=0)
    H = np.where(np.random.default_rng(0).random(D.shape) < 0.05, np.nan, D)
    return {
        "random forest, 100 trees": (RandomForestClassifier(random_state=0).fit(X, y), X),
        "the same, deeper": (RandomForestClassifier(random_state=0, n_jobs=-1).fit(D, t).set_params(n_jobs=1), D),
        "gradient boosting": (GradientBoostingClassifier(random_state=0).fit(X, y), X),
        "histogram boosting": (HistGradientBoostingClassifier(random_state=0).fit(D, t), D),
        "the same, missing values": (HistGradientBoostingClassifier(random_state=0).fit(H, t), H),
    }


def session(estimator: Any) -> Any:
    """Convert the estimator and load it in onnxruntime, on one thread."""
    import onnx.helper
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    make = onnx.helper.make_attribute

    def whole(key: str, value: Any, *more: Any, **options: Any) -> Any:
        """Convert NumPy's integers and booleans, which skl2onnx passes on, to Python's integers, which onnx requires."""
        if isinstance(value, list) and any(isinstance(item, (bool, np.integer, np.bool_)) for item in value):
            value = [int(item) for item in value]
        return make(key, value, *more, **options)

    onnx.helper.make_attribute = whole
    try:
        inputs = [("X", FloatTensorType([None, estimator.n_features_in_]))]
        graph = to_onnx(estimator, initial_types=inputs, options={"zipmap": False}).SerializeToString()
    finally:
        onnx.helper.make_attribute = make
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options)


def best(runs: Runs, repeat: int) -> dict[str, float]:
    """Measure the seconds of each run, the best of `repeat`; the runs take turns, so that load affects all alike."""
    found = dict.fromkeys(runs, float("inf"))
    for _ in range(repeat):
        for name, run in runs.items():
            began = perf_counter()
            run()
            found[name] = min(found[name], perf_counter() - began)
    return found


def measured(estimator: Any, X: Any) -> dict[str, Any]:
    """Measure the microseconds for a row in each library, from Python lists to Python lists."""
    predictor = Predictor(model_file.parse(pack(estimator, sample=X[:200], edge_count=100).data))
    engine, names = predictor.engine, ("index", "probabilities")
    vectors = batches.Engine(predictor.file, engine.plan)  # type: ignore[attr-defined]
    theirs = session(estimator)
    rows = X[np.random.default_rng(0).integers(0, len(X), ROWS)].tolist()
    few = rows[:50]

    def onnx(some: list[list[float]]) -> Any:
        return [output.tolist() for output in theirs.run(None, {"X": np.array(some, dtype=np.float32)})]

    for row in few * 4:  # until all trees are tuples
        engine.outputs([row], names)
    one: Runs = {
        "engine": lambda: [engine.outputs([row], names) for row in few],
        "predict": lambda: [predictor.predict([row]) for row in few],
        "onnxruntime": lambda: [onnx([row]) for row in few],
    }
    many: Runs = {
        "numpy engine": lambda: vectors.outputs(rows, names),
        "onnxruntime": lambda: onnx(rows),
        "scikit-learn": lambda: estimator.predict_proba(np.array(rows)).tolist(),
    }
    alone = best({"scikit-learn": lambda: [estimator.predict_proba([row]).tolist() for row in few[:10]]}, 5)
    looped = best({"engine": lambda: engine.outputs(rows[:1000], names)}, 3)
    return {
        "row_us": {name: 1e6 * s / len(few) for name, s in best(one, 60).items()} | {"scikit-learn": 1e5 * alone["scikit-learn"]},
        "batch_us": {name: 1e6 * s / ROWS for name, s in best(many, 5).items()} | {"engine": 1e3 * looped["engine"]},
    }


LARGE = """
import json, sys
from time import perf_counter
def resident(): return {key: int(open("/proc/self/status").read().partition(key + ":")[2].split()[0]) / 1e3 for key in KEYS}
KEYS = ("RssAnon", "RssFile")
if sys.argv[1] == "flyweight":
    import flyweight
    open_model = flyweight.load
    flyweight.load(sys.argv[4])
else:
    import joblib, sklearn.ensemble
    open_model = joblib.load
rows = json.loads(sys.argv[3])
before, began = resident(), perf_counter()
model = open_model(sys.argv[2])
load = perf_counter() - began
after = resident()
began = perf_counter(); model.predict(rows[:1]); first = perf_counter() - began
asked = resident()
times = []
for row in rows * 3:
    began = perf_counter(); model.predict([row]); times.append(perf_counter() - began)
told = {"load_ms": 1e3 * load, "first_ms": 1e3 * first, "row_ms": 1e3 * min(times)}
for key in KEYS:
    told[key + "_loaded_mb"], told[key + "_asked_mb"] = after[key] - before[key], asked[key] - before[key]
print(json.dumps(told))
"""


def large(folder: Path) -> dict[str, Any]:
    """Measure a forest of 500 trees of 10,000 nodes (20 different trees), opened in a fresh process."""
    X, y = make_regression(8_000, 20, noise=1.0, random_state=0)
    estimator = RandomForestRegressor(20, random_state=0, n_jobs=-1).fit(X, y).set_params(n_jobs=1)
    small = pack(estimator.set_params(n_jobs=1), sample=X[:20], edge_count=20).data
    estimator.estimators_ = [copy.deepcopy(member) for member in estimator.estimators_ * 25]
    data = pack(estimator, sample=X[:20], edge_count=20).data
    (folder / "small.safetensors").write_bytes(small)
    (folder / "large.safetensors").write_bytes(data)
    joblib.dump(estimator, folder / "large.joblib")
    told: dict[str, Any] = {"nodes": sum(member.tree_.node_count for member in estimator.estimators_)}
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}", "OMP_NUM_THREADS": "1"}
    for name, suffix in (("flyweight", "safetensors"), ("scikit-learn", "joblib")):
        path = folder / f"large.{suffix}"
        command = [sys.executable, "-c", LARGE, name, str(path), json.dumps(X[:10].tolist()), str(folder / "small.safetensors")]
        runs = [json.loads(subprocess.run(command, capture_output=True, check=True, env=environ).stdout) for _ in range(3)]
        told[name] = {"file_mb": path.stat().st_size / 1e6, **{key: min(run[key] for run in runs) for key in runs[0]}}
    predictor = Predictor(model_file.parse(data))
    vectors = batches.Engine(predictor.file, predictor.engine.plan)  # type: ignore[attr-defined]
    rows = X[np.arange(ROWS) % len(X)].tolist()
    many: Runs = {
        "flyweight": lambda: vectors.outputs(rows, ("values",)),
        "scikit-learn": lambda: estimator.predict(np.array(rows)).tolist(),
    }
    for name, seconds in best(many, 2).items():
        told[name]["batch_us"] = 1e6 * seconds / ROWS
    return told


def tables(console: Console, found: dict[str, Any], big: dict[str, Any]) -> None:
    """Show the figures; a ratio above 1 means that flyweight is slower."""
    for key, title, columns in (
        ("row_us", "one row, warm", ("engine", "predict", "onnxruntime", "scikit-learn")),
        ("batch_us", f"a row of {ROWS:,}", ("numpy engine", "engine", "onnxruntime", "scikit-learn")),
    ):
        table = Table(title=title, title_justify="left")
        for column in ("model", *columns, f"{columns[0]} / onnxruntime", f"{columns[0]} / scikit-learn"):
            table.add_column(column)
        for name, figures in found.items():
            own = figures[key]
            ratios = [show.times(own[columns[0]] / own[other]) for other in ("onnxruntime", "scikit-learn")]
            table.add_row(name, *[show.duration(own[column]) for column in columns], *ratios)
        console.print(table)
    table = Table(title=f"{big['nodes']:,} nodes", title_justify="left")
    for column in ("", "flyweight", "scikit-learn"):
        table.add_column(column)
    for key in big["flyweight"]:
        table.add_row(key, *[f"{big[name][key]:.2f}" for name in ("flyweight", "scikit-learn")])
    console.print(table)


@click.command()
def main() -> None:
    """Measure, print, and write benchmarks/results/trees.json."""
    warnings.simplefilter("ignore")
    os.environ["OMP_NUM_THREADS"] = "1"
    found = {name: measured(*model) for name, model in models().items()}
    with tempfile.TemporaryDirectory() as folder:
        big = large(Path(folder))
    tables(Console(width=160), found, big)
    RESULTS.write_text(json.dumps({"python": sys.version.split()[0], "models": found, "large": big}, indent=1) + "\n")


if __name__ == "__main__":
    main()

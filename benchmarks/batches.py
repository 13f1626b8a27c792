"""Compare batches in the pure engine, in the numpy engine and in scikit-learn itself, in one run."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import sklearn
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from benchmarks import show
from benchmarks.environments import ROOT
from flyweight import engines
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack
from tests import fitted

RESULTS = ROOT / "benchmarks" / "results" / "batches.json"
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
METHODS = ("predict", "predict_proba", "decision_function")


def cancer(estimator: Any) -> Any:
    """Fit an estimator to the breast cancer table: 30 numbers, two classes."""
    X, y = load_breast_cancer(return_X_y=True)
    return estimator.fit(X, y), X


def scaled(estimator: Any) -> Any:
    """Fit the same estimator after a StandardScaler."""
    return cancer(make_pipeline(StandardScaler(), estimator))


def words() -> Any:
    """Fit an encoder of the two text columns of Palmer Penguins."""
    X = fitted.penguins()[1][["island", "sex"]].dropna()
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(X), X


def diabetes() -> Any:
    """Fit an estimator to the diabetes table: ten numbers, one numeric target."""
    X, y = load_diabetes(return_X_y=True)
    return Ridge().fit(X, y), X


MODELS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: cancer(LogisticRegression(max_iter=10_000)),
    "ridge": diabetes,
    "scaler + logistic regression": lambda: scaled(LogisticRegression()),
    "penguins, mixed columns": fitted.penguins,
    "ordinal encoder": words,
    "Gaussian naive Bayes": lambda: cancer(GaussianNB()),
    "SVC, rbf": lambda: scaled(SVC()),
    "neighbors, 5": lambda: scaled(KNeighborsClassifier()),
    "MLP, 100": lambda: scaled(MLPClassifier(random_state=0, max_iter=1000)),
    "k-means, 8": lambda: scaled(KMeans(8, random_state=0, n_init=3)),
    "forest of 100": lambda: cancer(RandomForestClassifier(random_state=0)),
    "gradient boosting, 100": lambda: cancer(GradientBoostingClassifier(random_state=0)),
}


@click.command()
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(1), help="Rows in a batch.")
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(0.0), help="Seconds to measure each model.")
@click.option(
    "--models", "chosen", help=f"Some of {','.join(name.partition(' ')[0] for name in MODELS)}, by the start of their names."
)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The file to write the figures to.")
def main(rows: int, seconds: float, chosen: str | None, out: Path) -> None:
    """Measure batches, write the figures and print them."""
    names = [name for name in MODELS if chosen is None or name.startswith(tuple(chosen.split(",")))]
    found = []
    for name in names:
        click.echo(name, err=True)
        found.append({"model": name, **measured(*MODELS[name](), rows, seconds)})
    document = {
        "rows": rows,
        "cores": os.cpu_count(),
        "numpy_import_ms": round(1e3 * import_seconds(), 1),
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "models": found,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    Console(width=150).print(table(document))


def measured(estimator: Any, sample: Any, rows: int, seconds: float) -> dict[str, Any]:
    """Measure one model: the least milliseconds of a batch in each engine, and the number of rows from which NumPy is faster."""
    packed = pack(estimator, sample=sample, edge_count=500)
    model = Predictor(model_file.parse(packed.data))
    picks = np.random.default_rng(0).integers(0, len(sample), rows)
    whole = sample.iloc[picks] if isinstance(sample, pd.DataFrame) else sample[picks]
    lists = _as_sent(whole)
    methods = [method for method in METHODS[: 3 if "scores" in model.output_names else 2] if hasattr(estimator, method)][:2] or [
        "transform"
    ]

    def theirs(X: Any) -> list[Any]:
        return [getattr(estimator, method)(X) for method in methods]

    def theirs_of_lists() -> Any:
        X = pd.DataFrame(lists, columns=whole.columns) if isinstance(sample, pd.DataFrame) else np.asarray(lists)
        return [answer.tolist() for answer in theirs(X)]

    ways: dict[str, Callable[[], Any]] = {
        "pure_lists": lambda: by_rows(model, lists),
        "numpy_lists": lambda: model.predict(lists),
        "sklearn_lists": theirs_of_lists,
        "numpy_table": lambda: model.predict(whole),
        "sklearn_table": lambda: theirs(whole),
    }
    figures = {name: round(1e3 * value, 3) for name, value in best(ways, seconds).items()}
    return {
        **figures,
        "engines": model.file.document["engines"],
        "methods": methods,
        "times_pure": round(figures["pure_lists"] / figures["numpy_lists"], 2),
        "times_sklearn_lists": round(figures["sklearn_lists"] / figures["numpy_lists"], 2),
        "times_sklearn_table": round(figures["sklearn_table"] / figures["numpy_table"], 2),
        "gains_from": gains_from(model, lists),
    }


def _as_sent(whole: Any) -> list[list[Any]]:
    """Convert a table to lists as JSON gives them, with None for missing values."""
    cells = whole.astype(object).to_numpy().tolist() if isinstance(whole, pd.DataFrame) else whole.tolist()
    return [[None if cell != cell else cell for cell in row] for row in cells]


def with_batches_from(count: int, model: Predictor, rows: list[Any]) -> Any:
    """Predict with the numpy engine from `count` rows on."""
    usual, engines.BATCH = engines.BATCH, count
    try:
        return model.predict(rows)
    finally:
        engines.BATCH = usual


def by_rows(model: Predictor, rows: list[Any]) -> Any:
    """Predict with the pure engine."""
    return with_batches_from(sys.maxsize, model, rows)


def best(ways: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Measure the shortest time of each run in seconds; the runs take turns, for at least three rounds."""
    found = dict.fromkeys(ways, float("inf"))
    began = time.perf_counter()
    for round_ in range(1000):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            found[name] = min(found[name], time.perf_counter() - start)
        if round_ >= 2 and time.perf_counter() - began > seconds:
            break
    return found


def gains_from(model: Predictor, lists: list[Any]) -> int | None:
    """Find the smallest of `COUNTS` from which on the numpy engine is faster.

    :returns: None if it is slower at the largest.
    """
    first = None
    for count in reversed(COUNTS):
        rows = lists[:count]
        ways = {"pure": lambda rows=rows: by_rows(model, rows), "numpy": lambda rows=rows: with_batches_from(1, model, rows)}
        found = best(ways, 0.05)
        if found["numpy"] >= found["pure"]:
            break
        first = count
    return first


def import_seconds() -> float:
    """Measure the seconds in which a fresh interpreter imports NumPy, the best of five."""
    code = "from time import perf_counter as t; began = t(); import numpy; print(t() - began)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def table(document: dict[str, Any]) -> Table:
    """Make a table of the figures; a ratio above 1 means that the numpy engine is faster."""
    title = f"{document['rows']:,} rows, milliseconds; importing NumPy takes {document['numpy_import_ms']:.0f} ms"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("model")
    columns = ("lists: pure", "numpy", "sklearn", "x pure", "x sklearn", "table: numpy", "sklearn", "x sklearn", "gains from")
    for column in columns:
        made.add_column(column, justify="right", no_wrap=True)
    for row in document["models"]:
        cells = [f"{row[way]:.1f}" for way in ("pure_lists", "numpy_lists", "sklearn_lists")]
        cells += [show.times(row["times_pure"]), show.times(row["times_sklearn_lists"])]
        cells += [f"{row['numpy_table']:.1f}", f"{row['sklearn_table']:.1f}", show.times(row["times_sklearn_table"])]
        made.add_row(row["model"], *cells, str(row["gains_from"] or "never"))
    return made


if __name__ == "__main__":
    main()

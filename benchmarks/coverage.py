"""Every estimator of scikit-learn that answers on new data, tried: which are packed, which not, and why; to docs/coverage.md."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np
import sklearn
from rich.progress import track
from sklearn.datasets import load_diabetes, load_iris
from sklearn.utils._test_common.instance_generator import _construct_instances
from sklearn.utils.discovery import all_estimators

from benchmarks.environments import ROOT
from flyweight.toolkit.convert.draft import ConversionRefused
from flyweight.toolkit.pack import ParityFailed, pack
from flyweight.toolkit.sample import SampleRefused

RESULTS = ROOT / "benchmarks" / "results" / "coverage.json"
PAGE = ROOT / "docs" / "coverage.md"
NO_ROWS = {"LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "PatchExtractor"}  # these transform labels, or pictures
TEXTS = ["a cat sat", "the dog ran", "a dog sat", "the cat ran far", "birds fly", "a bird sat on the dog"] * 5

HEAD = """# Coverage

Every class of scikit-learn {sklearn} that predicts on, or transforms, new data, as scikit-learn's own checks configure it (its
defaults, and small settings where a meta-estimator needs a part), fitted on a small table and packed with 300 rows made to break
it. `python -m benchmarks.coverage` makes this page anew; a test fails when a row gets worse. Other configurations are tried by
`tests/parity/`.

**{covered} of {total}** are packed at parity: **{predicting} of {all_predicting}** that predict,
**{transforming} of {all_transforming}** that only transform.

| estimator | packed | largest difference | bytes | why not |
|---|---|--:|--:|---|
"""


@dataclass(frozen=True)
class Row:
    """What became of one estimator; `difference` is absolute, of any score, probability or value."""

    name: str
    predicts: bool
    packed: bool
    difference: float | None = None
    size: int | None = None
    reason: str = ""


@click.command()
@click.option("--only", help="Some names, separated by commas; prints and writes nothing.")
def main(only: str | None) -> None:
    """Try each estimator in a process of its own and write down what came out."""
    names = only.split(",") if only else [name for name, cls in all_estimators() if _answers(cls)]
    # spawned: a child that is forked after scikit-learn has used OpenMP hangs when it uses it too
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        rows = [*track(pool.map(attempt, names), total=len(names), description="trying", transient=True)]
    if only:
        for row in rows:
            click.echo(row)
        return
    write(rows, PAGE, RESULTS)
    click.echo(f"{sum(row.packed for row in rows)} of {len(rows)} are packed; see {PAGE.relative_to(ROOT)}")


def attempt(name: str) -> Row:
    """Fit and pack one estimator; whatever goes wrong is the reason."""
    cls = dict(all_estimators())[name]
    row = Row(name, hasattr(cls, "predict"), False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            estimator, X = _fitted(cls)
        except Exception as error:
            return Row(**{**asdict(row), "reason": f"not tried: {_short(error)}"})
        try:
            packed = pack(estimator, sample=X, edge_count=300)
        except (ConversionRefused, ParityFailed, SampleRefused) as error:
            return Row(**{**asdict(row), "reason": _short(error)})
        except Exception as error:
            return Row(**{**asdict(row), "reason": f"{type(error).__name__}: {_short(error)}"})
    largest = max(packed.parity.largest.values(), default=0.0)
    return Row(**{**asdict(row), "packed": True, "difference": float(largest), "size": len(packed.data)})


def _answers(cls: Any) -> bool:
    return cls.__name__ not in NO_ROWS and (hasattr(cls, "predict") or hasattr(cls, "transform"))


def _fitted(cls: Any) -> tuple[Any, Any]:
    """The first configuration of scikit-learn's own checks that can be fitted on one of the tables, and asked afterwards."""
    errors: list[Exception] = []
    for estimator in _construct_instances(cls):
        # the same fit each time: what is packed is not left to chance
        seeds = [key for key in estimator.get_params() if key.rpartition("__")[2] == "random_state"]
        estimator.set_params(**dict.fromkeys(seeds, 0))
        for X, y in _tables():
            try:
                estimator.fit(X, y)
                answer = getattr(estimator, "predict", None) or estimator.transform
                answer(X[:2])
                return estimator, X if not isinstance(X[0], str) else np.array(X, dtype=object).reshape(-1, 1)
            except Exception as caught:
                errors.append(caught)
    raise errors[0] if errors else TypeError("it has no configuration")


def _tables() -> Iterator[tuple[Any, Any]]:
    X, y = load_iris(return_X_y=True)
    D, t = load_diabetes(return_X_y=True, scaled=False)
    yield X, y
    yield D, t
    yield D, np.column_stack([t, D[:, 2]])
    yield X, np.column_stack([y, y[::-1]])
    yield X[:100], y[:100]
    yield X[:, :1], y.astype(float)
    yield TEXTS, np.arange(len(TEXTS)) % 2
    yield [{"a": float(n), "b": float(n % 3)} for n in range(30)], np.arange(30) % 2


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.removeprefix("step (the estimator itself), ")[:110].replace("|", "/")


def write(rows: list[Row], page: Path, results: Path) -> None:
    """The page for people and the JSON that the test compares with."""
    predicting = [row for row in rows if row.predicts]
    others = [row for row in rows if not row.predicts]
    head = HEAD.format(
        sklearn=sklearn.__version__,
        covered=sum(row.packed for row in rows),
        total=len(rows),
        predicting=sum(row.packed for row in predicting),
        all_predicting=len(predicting),
        transforming=sum(row.packed for row in others),
        all_transforming=len(others),
    )
    lines = [
        f"| {row.name} | yes | {row.difference:.2g} | {row.size:,} | |"
        if row.packed and row.difference is not None and row.size is not None
        else f"| {row.name} | no | | | {row.reason} |"
        for row in rows
    ]
    page.write_text(head + "\n".join(lines) + "\n")
    results.write_text(json.dumps({row.name: asdict(row) for row in rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

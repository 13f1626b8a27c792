"""What libraries and users' own code raise becomes one message, and a reason to try the next engine."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from flyweight.errors import FlyweightError
from flyweight.toolkit.packing import custom_steps, engines
from flyweight.toolkit.packing.guard import CodeFailed, first_raising, guarded, shown, step_of
from flyweight.toolkit.packing.pack import ParityFailed, pack

X = np.random.default_rng(0).integers(0, 9, (60, 2)).astype(float)


class Panic(BaseException):
    """What a library in Rust raises where it panics."""


class Refusing(TransformerMixin, BaseEstimator):
    """A step that refuses negative numbers, with an error of its own kind."""

    def fit(self, X: Any, y: Any = None) -> Refusing:
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        if (np.asarray(X) < 0).any():
            raise Panic("negative\nand more")
        return X


def ratio(X: Any) -> Any:
    """Divide two columns."""
    return X[:, [0]] / (X[:, [1]] + 1)


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[Any]:
    """Use steps of this source."""

    def use(source: str) -> None:
        (tmp_path / "steps.py").write_text(source)
        custom_steps.use(tmp_path / "steps.py")

    yield use
    sys.modules.pop("flyweight_steps", None)


@pytest.mark.parametrize("kind", [ValueError, MemoryError, SystemExit, RecursionError, Panic])
def test_whatever_is_raised_is_a_flyweight_error_with_a_next_step(kind: type[BaseException]) -> None:
    with (
        pytest.raises(FlyweightError, match=rf"^packing: row \[1.0, nan\]: {kind.__name__}: a line$") as caught,
        guarded("packing", row=[1.0, np.nan]),
    ):
        raise kind("a line\nanother line")
    assert isinstance(caught.value, CodeFailed) and caught.value.next_step
    assert type(caught.value.__cause__) is kind


@pytest.mark.parametrize("error", [KeyboardInterrupt(), FlyweightError("ours")])
def test_the_user_s_own_stop_and_our_own_errors_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, guarded("packing"):
        raise error
    assert caught.value is error


def test_warnings_inside_are_silent() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with guarded("packing"):
            warnings.warn("noise", stacklevel=1)
    assert not caught


def test_the_step_that_raised_is_named_by_its_path() -> None:
    fitted = make_pipeline(make_column_transformer((Refusing(), [0]), remainder="passthrough"), LinearRegression()).fit(
        X, X[:, 0]
    )
    with pytest.raises(Panic) as caught:
        fitted.predict(-X - 1)
    assert step_of(caught.value, fitted) == "columntransformer.refusing"
    assert step_of(caught.value, LinearRegression()) == ""


def test_a_long_row_is_shown_shortly() -> None:
    assert shown(["a" * 100, None, 1.0]) == f"[{chr(39)}{'a' * 39}..., null, 1.0]"
    assert shown([0.0] * 5000).endswith(", ...] of 5000 values") and len(shown([0.0] * 5000)) < 60


def test_the_row_that_raises_is_found_in_few_calls() -> None:
    calls = []

    def ask(rows: Any) -> None:
        calls.append(len(rows))
        if 700 in rows:
            raise Panic

    assert first_raising(range(1000), ask) == 700
    assert len(calls) <= 11


def test_an_engine_that_raises_is_skipped_and_the_next_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: Any) -> Any:
        raise Panic("this engine has a fault")

    makers = engines.makers
    pure = makers()["pure"]
    monkeypatch.setattr(engines, "makers", lambda: {"pure": type(pure)("pure", 0, broken), "other": pure})
    monkeypatch.setattr("flyweight.toolkit.packing.selection.makers", engines.makers)
    packed = pack(LinearRegression().fit(X, X[:, 0]), sample=X, edge_count=5)
    assert packed.engine == "pure"


def test_a_step_that_raises_on_rows_that_were_made_refuses_them(steps: Any) -> None:
    steps("def ratio(row):\n    return [row[0] / (row[1] + 1)]\nSTEPS = {'ratio': (ratio, 'n')}\n")
    packed = pack(make_pipeline(FunctionTransformer(ratio), LinearRegression()).fit(X, X[:, 0]), sample=X, edge_count=300)
    assert packed.engine == "pure" and packed.parity.refused_alike > 0 and packed.parity.refused_by_step == 0


def test_a_step_may_refuse_a_made_row_that_the_estimator_answers_and_it_is_counted(steps: Any) -> None:
    steps(
        "def ratio(row):\n    if row[1] < 0:\n        raise ValueError('a negative price')\n"
        "    return [row[0] / (row[1] + 1)]\nSTEPS = {'ratio': (ratio, 'n')}\n"
    )
    packed = pack(make_pipeline(FunctionTransformer(ratio), DecisionTreeRegressor()).fit(X, X[:, 0]), sample=X, edge_count=300)
    assert packed.engine == "pure" and packed.parity.refused_by_step > 0
    assert packed.parity.document()["refused_by_step"] == packed.parity.refused_by_step


def test_a_step_that_refuses_a_row_of_the_sample_is_refused_by_its_name_with_the_row_and_the_error(steps: Any) -> None:
    steps(
        "def ratio(row):\n    if row[1] > 7:\n        raise KeyError('a price above 7')\n"
        "    return [row[0] / (row[1] + 1)]\nSTEPS = {'ratio': (ratio, 'n')}\n"
    )
    fitted = make_pipeline(FunctionTransformer(ratio), LinearRegression()).fit(X, X[:, 0])
    with pytest.raises(
        ParityFailed, match=r"your step 'ratio' refused a row of the sample.*KeyError.*a price above 7.*row \["
    ) as caught:
        pack(fitted, sample=X, edge_count=5, engine="pure")
    assert len(str(caught.value)) < 2500


def test_a_step_that_breaks_its_promise_is_named_with_the_row(steps: Any) -> None:
    steps("def ratio(row):\n    return 7\nSTEPS = {'ratio': (ratio, 'n')}\n")
    fitted = make_pipeline(FunctionTransformer(ratio), LinearRegression()).fit(X, X[:, 0])
    with pytest.raises(
        FlyweightError, match=r"your step 'ratio', row \[.*TypeError: the step 'ratio' gave 7, expected a list of 1"
    ):
        pack(fitted, sample=X, edge_count=5, engine="pure")


@pytest.mark.parametrize("text", ["def (", "raise SystemExit", "import no_such_module", "1 / 0"])
def test_a_file_of_steps_that_can_t_be_imported_is_refused(steps: Any, text: str) -> None:
    with pytest.raises(custom_steps.StepsRefused, match=r"steps.py can't be imported: \w+"):
        steps(text)

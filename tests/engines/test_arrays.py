"""Batches in an array namespace answer as in NumPy. The namespace is NumPy's own; `tests/benchmarks/test_gpu.py` has others."""

from __future__ import annotations

import importlib
import math
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flyweight
from flyweight import engines, ops
from flyweight.engines import _arrays, _namespaces
from flyweight.engines.numpy import Engine
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from tests.engines.test_batches import PLANS, built
from tests.ops.hostile import document, raw, stump

OPS = [
    op
    for _, name, _ in pkgutil.iter_modules(ops.__path__)
    if not name.startswith("_")
    for op in importlib.import_module(f"flyweight.ops.{name}").OPS.values()
]
NUMBERS = [0.0, -0.0, 1.0, 0.5, 2.5, -1.0, 5.0, 1e-320, 3.4e38, -7.25, math.nan]


def host(device: str) -> _namespaces.Namespace:
    """NumPy as a namespace whose functions are compiled, as JAX's are: they take 256 rows, or 4 or 16 times as many."""
    namespace = _namespaces.Namespace(np, "this processor", np.array, np.asarray)
    namespace.whole = True
    return namespace


@pytest.fixture(autouse=True)
def _numpy_is_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_namespaces.NAMESPACES, "host", host)


def listed(model: Predictor) -> Any:
    """The model's file, which names the numpy engine as well."""
    model.file.document["engines"] = ["pure", "numpy"]
    return model.file


def of(nodes: list[dict[str, Any]], output: str, arrays: Any = None, **more: Any) -> Predictor:
    return Predictor(model_file.parse(raw(document(nodes, output, engines=["pure", "numpy"], **more), arrays)))


@pytest.mark.parametrize("op", [op for op in OPS if hasattr(op, "over")], ids=lambda op: f"{op.__module__}.{op.__name__}")
def test_an_op_has_its_forms_for_arrays_from_one_class(op: type) -> None:
    """Else a subclass could answer in NumPy otherwise than in a namespace."""
    owner = {form: next(cls for cls in op.__mro__ if form in vars(cls)) for form in ("over", "batch")}
    assert owner["batch"] in (ops.Over, owner["over"])


@pytest.mark.parametrize("op", PLANS)
def test_a_namespace_answers_as_numpy_does(op: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = built(op)
    plan: Any = model.engine.plan  # type: ignore[attr-defined]
    if not hasattr(plan.ops[0], "over"):
        with pytest.raises(ModelRefused, match="none of the model's ops runs in host"):
            _arrays.Engine(listed(model), plan, "host")
        return
    width = len(model.signature.features)
    random = np.random.default_rng(0)
    rows: Any = random.choice(NUMBERS, (300, width))
    usual, engine = Engine(listed(model), plan), _arrays.Engine(model.file, plan, "host")
    for part in (rows, np.nan_to_num(rows), random.normal(size=(3, width)).round(1)):
        try:
            expected = usual.outputs(part, ("values",))
        except flyweight.InvalidInput as refused:
            with pytest.raises(flyweight.InvalidInput) as again:
                engine.outputs(part, ("values",))
            assert again.value.faults == refused.faults
            continue
        np.testing.assert_array_equal(engine.outputs(part, ("values",)), expected)
    assert "batches run in host on this processor" in capsys.readouterr().err


def test_strings_and_their_categories_stay_in_numpy(penguins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = flyweight.load(str(penguins))
    plan: Any = model.engine.plan  # type: ignore[attr-defined]
    engine = _arrays.Engine(model.file, plan, "host")
    rows = [["Biscoe", 46.1 + n % 7, 13.2, math.nan, 4500.0, None, 2007.0] for n in range(700)]
    names = ("index", "probabilities")
    assert engine.outputs(rows, names) == Engine(model.file, plan).outputs(rows, names)
    assert engine.stays and "encode.one_hot" not in engine.stays
    assert f"; in NumPy: {', '.join(engine.stays)}" in capsys.readouterr().err


def test_numpy_steps_between_steps_of_a_namespace_are_run_in_order() -> None:
    scale = {"op": "scale.center", "arrays": {"divide": "d"}}
    nodes = [
        {**scale, "inputs": ["input"], "output": "a"},
        {"op": "bins.digitize", "inputs": ["a"], "output": "b", "arrays": {"edges": "e", "starts": "s"}},
        {"op": "columns.join", "inputs": ["a", "b"], "output": "c"},
        {"op": "links.exp", "inputs": ["c"], "output": "y"},
    ]
    arrays = {"d": np.array([2.0, 4.0]), "e": np.array([0.0, 1.0]), "s": np.array([0, 1, 2], np.int32)}
    model = of(nodes, "y", arrays, outputs=4)
    engine = _arrays.Engine(model.file, None, "host")
    assert engine.stays == ["bins.digitize"]
    rows = [[1.0, 5.0], [-1.0, 2.0]]
    assert engine.outputs(rows, ("values",)) == Engine(model.file).outputs(rows, ("values",))


def test_a_row_that_is_refused_is_named() -> None:
    node, arrays = stump()
    model = of([{**node, "single": True, "names": ["a", "b"]}], "y", arrays)
    rows = [[0.0, 1.0] for _ in range(400)]
    rows[321][0] = 1e39
    with pytest.raises(flyweight.InvalidInput, match="instance 321, feature 'a'"):
        _arrays.Engine(model.file, None, "host").outputs(rows, ("values",))


def test_the_setting_sends_batches_to_the_namespace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FLYWEIGHT_ARRAYS", "host")
    node, arrays = stump()
    model = of([node], "y", arrays)
    assert capsys.readouterr().err.count("batches run in host") == 1
    asked = []
    monkeypatch.setattr(_arrays.Program, "run", lambda self, rows, names: asked.append(len(rows)) or [np.zeros((len(rows), 1))])
    assert model.predict([[0.0, 0.0]] * engines.BATCH).predictions == [0.0] * engines.BATCH
    assert model.predict([[0.0, 0.0]]).predictions == [10.0], "a single row needs no accelerator"
    assert asked == [engines.BATCH]


def test_a_namespace_that_answers_the_sample_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def single(device: str) -> _namespaces.Namespace:
        return _namespaces.Namespace(
            np, "a device", np.array, lambda array: np.asarray(array) * (1 + 1e-8 * (np.size(array) > 1))
        )

    monkeypatch.setitem(_namespaces.NAMESPACES, "coarse", single)
    node, arrays = stump()
    model = of([node], "y", arrays, sample={"instances": [[0.0, 0.0], [1.0, 0.0]], "predictions": [10.0, 20.0]})
    _arrays.Engine(model.file, None, "host")
    with pytest.raises(ModelRefused, match="coarse on a device answers the model's own sample otherwise: values by 2e-07"):
        _arrays.Engine(model.file, None, "coarse")


def test_a_model_that_numpy_does_not_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_ARRAYS", "host")
    node, arrays = stump()
    with pytest.raises(ModelRefused, match="this file names no such engine"):
        Predictor(model_file.parse(raw(document([node], "y"), arrays)))


def failing(error: Exception) -> Any:
    def make(device: str) -> Any:
        raise error

    return make


@pytest.mark.parametrize(
    ("asked", "make", "words"),
    [
        ("tensorflow", None, "choose one of torch, cupy, jax"),
        ("torch", failing(ImportError("no", name="torch")), "asks for torch, and torch is not installed here; install it"),
        ("torch:cuda", failing(RuntimeError("No CUDA GPUs are available")), "does not work here: No CUDA GPUs are available"),
        ("torch", lambda device: _namespaces.Namespace(np, "mps", np.float32, np.asarray), "does not compute in float64"),
    ],
)
def test_a_namespace_that_can_not_serve_is_refused_in_words(
    asked: str, make: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if make is not None:
        monkeypatch.setitem(_namespaces.NAMESPACES, "torch", make)
    with pytest.raises(ModelRefused, match=r"FLYWEIGHT_ARRAYS|float64") as refused:
        _namespaces.namespace_of(asked)
    assert words in f"{refused.value}; {refused.value.next_step}"

"""Engines that run no plan refuse pickles, TFLite files, absent packages and junk in any document, and say why."""

from __future__ import annotations

import copy
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import Ridge

import flyweight
from flyweight import engines
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models.file import ModelFile
from flyweight.predictor import Predictor
from tests import graphs
from tests.engines.engine_files import GOOD, X, changed, estimator_pipeline, file_of, packed, y


@pytest.fixture(scope="module")
def estimator_file() -> ModelFile:
    return estimator_pipeline()


def test_a_pickle_is_refused_unless_the_deployment_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = packed(Ridge().fit(X, y), "pickle")
    with pytest.raises(ModelRefused, match=r"runs any code that is in it.*FLYWEIGHT_ALLOW_PICKLE=1"):
        Predictor(file)
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "0")
    with pytest.raises(ModelRefused, match="FLYWEIGHT_ALLOW_PICKLE"):
        Predictor(file)
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "1")
    assert Predictor(file).passes_self_test()
    with pytest.raises(ModelRefused, match="the pickle can't be read"):
        Predictor(changed(file, lambda document: None, pickle=b"junk"))


class Bomb:
    """An object whose pickle leaves a trace if it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_a_refused_pickle_is_not_read_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer, trace = io.BytesIO(), tmp_path / "trace"
    joblib.dump(Bomb(trace), buffer)
    file = changed(packed(Ridge().fit(X, y), "pickle"), lambda document: None, pickle=buffer.getvalue())
    with pytest.raises(ModelRefused):
        Predictor(file)
    assert not trace.exists()
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "1")
    with pytest.raises(ModelRefused):
        Predictor(file)
    assert trace.exists(), "the pickle above tells nothing: it does nothing when it is read"


LITERT: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "no flatbuffer": ({}, b"\0" * 64, "refuses the model"),
    "a feature too far": ({"inputs": {"x": [0, 1, 7]}}, b"", "takes no table"),
    "another input": ({"inputs": {"z": [0, 1, 2]}}, b"", "from which features"),
    "another output": ({"outputs": {"values": {"name": "z", "width": 1}}}, b"", "does not give the outputs"),
    "another width": ({"outputs": {"values": {"name": "y", "width": 2}}}, b"", r"shape \(1, 1\), not \(1, 2\)"),
}


@pytest.mark.parametrize(("changes", "data", "words"), LITERT.values(), ids=LITERT.keys())
def test_a_hostile_tflite_file_is_refused(changes: dict[str, Any], data: bytes, words: str) -> None:
    spec = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}, **changes}
    good = graphs.tflite_logistic([[1.0, 2.0, 3.0]], [0.5])
    with pytest.raises(ModelRefused, match=words):
        Predictor(file_of({"engines": ["litert"], "litert": spec}, tflite=data or good))


@pytest.mark.parametrize(
    ("engine", "package"),
    [("onnx", "onnxruntime"), ("litert", "ai_edge_litert"), ("sklearn", "skops"), ("pickle", "joblib"), ("numpy", "numpy")],
)
def test_a_package_that_is_absent_is_named(engine: str, package: str) -> None:
    """An interpreter of its own can't import that package."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; sys.path.insert(0, 'shared')\n"
        "from flyweight.engines import engine_for\n"
        "from flyweight.errors import ModelRefused\n"
        "from tests.engines.test_absent import file\n"
        f"try: engine_for(file({engine!r}))\n"
        "except ModelRefused as refused: print(refused)\n"
    )
    environ = {"FLYWEIGHT_ALLOW_PICKLE": "1", "PATH": "/usr/bin"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, env=environ)
    assert f"{engine} needs {package}" in done.stdout, done.stderr[-1500:]


def test_every_engine_is_a_file_of_its_own_and_a_row_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()
    names = re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)
    folder = Path(flyweight.__file__).parent / "engines"
    assert {*names} == {path.stem for path in folder.glob("[a-z]*.py")} - {"plan"}
    assert all(engines.find(name) for name in names) and engines.find("plan") is None


JUNK = [None, True, -1, 10**400, 3.5, "x", [], {}, [None], {"width": 10**9}, ["x", -1], "\ud800"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, child in inner for place in places(child, (*path, key))]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["onnx", "litert", "sklearn"])
def test_a_document_with_junk_anywhere_is_refused_or_answers(engine: str, estimator_file: ModelFile) -> None:
    spec = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}}
    sample = {"instances": [{"a": 1.0, "b": 2.0, "c": None}], "predictions": [1.0]}
    file = {
        "onnx": file_of({"engines": ["onnx"], "onnx": spec, "sample": sample}, onnx=GOOD),
        "litert": file_of({"engines": ["litert"], "litert": spec}, tflite=graphs.tflite_logistic([[1.0, 2.0, 3.0]], [0.5])),
        "sklearn": estimator_file,
    }[engine]
    rng = np.random.default_rng(3)
    keys = ("signature", "engines", "onnx", "litert", "estimator", "sample", "requires")
    listed = [place for place in places({key: file.document[key] for key in keys if key in file.document})]
    cases = [(place, junk) for place in listed for junk in JUNK]
    refused = 0
    for number in rng.permutation(len(cases))[:2500]:
        (*path, last), junk = cases[number]
        document = copy.deepcopy(file.document)
        parent = document
        for key in path:
            parent = parent[key]
        parent[last] = junk
        try:
            predictor = Predictor(ModelFile(file.data, document, file.tensors))
            predictor.passes_self_test()
            predictor.predict([[1.0] * len(predictor.signature.features)])
        except (ModelRefused, InvalidInput):
            refused += 1
    assert 50 < refused

"""Batches in array namespaces answer as NumPy does: on processors, in the environment that `.ci/install-arrays` makes."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from benchmarks import gpu
from flyweight.errors import ModelRefused
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "accelerators.md").read_text()
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, each with its rows."""
    folder = tmp_path_factory.mktemp("models")
    gpu.prepare(folder, 1000, 9)
    return folder


@pytest.mark.needs("arrays")
@pytest.mark.parametrize("namespace", ["strict", "jax", "torch"])
def test_every_family_answers_in_a_namespace_as_in_numpy(namespace: str, prepared: Path) -> None:
    found, missing = gpu.in_namespace(namespace, prepared, 1, [gpu.ARRAYS], 1500.0)
    if missing:
        assert namespace == "torch", missing  # whose wheels for processors are not in every registry
        pytest.skip(missing)
    assert {one["model"] for one in found} == {path.stem for path in prepared.glob("*.safetensors")}
    assert gpu.parity(found) == []
    if namespace == "strict":
        assert all(answer["equal"] for one in found for answer in one["answers"].values())


def test_a_namespace_that_is_not_installed_is_missing_and_no_failure(prepared: Path) -> None:
    assert gpu.in_namespace("cupy", prepared, 1, ["/nowhere/python"], 10.0) == (
        [],
        "cupy: its library is not installed here; .ci/install-arrays, or docs/accelerators.md for a GPU",
    )


def test_a_label_that_differs_fails_and_a_last_place_does_not() -> None:
    one = {"namespace": "torch", "model": "forest", "rows": 9, "answers": {"index": {"equal": False, "rows": 1, "apart": 0.5}}}
    assert gpu.parity([one]) == ["torch, forest: index by 0.5 in 1 rows"]
    assert gpu.parity([{**one, "answers": {"values": {"equal": False, "rows": 1, "apart": 1e-13}}}]) == []
    assert gpu.parity([{**one, "answers": {"values": {"equal": False, "rows": 1, "apart": float("nan")}}}]) != []


def test_graphs_are_measured_by_a_provider_that_is_here_and_others_are_missing() -> None:
    found, missing = gpu.in_onnx(50, 1, "cpu")
    assert not missing and found[0]["answers"]["values"]["equal"]
    try:
        found, missing = gpu.in_onnx(50, 1, "openvino")
    except ModelRefused as refused:  # pragma: no cover
        missing = str(refused)
    assert "OpenVINOExecutionProvider" in missing


def test_xgboost_without_cuda_is_missing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, missing = gpu.in_xgboost(50, 1, 9)
    assert bool(found) != bool(missing)


def test_the_table_of_the_page_is_what_was_measured() -> None:
    kept = json.loads(gpu.RESULTS.read_text())
    assert gpu.page(kept["found"]) in PAGE
    assert f"{kept['rows']:,} rows" in PAGE
    assert gpu.parity(kept["found"]) == []

"""`flyweight export` prints the proof, and refuses in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit.exporting import export as exports
from flyweight.toolkit.exporting import forms
from flyweight.toolkit.exporting.planned import NotExported


@pytest.fixture(autouse=True)
def onnx() -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


def test_an_export_prints_each_output_and_its_largest_difference(
    penguins: Path, run: Callable[..., Result], tmp_path: Path
) -> None:
    result = run("export", penguins, "--to", "onnx", "-o", tmp_path / "penguins.onnx")
    assert result.exit_code == 0, result.output
    assert "largest difference" in result.output
    assert all(output in result.output for output in ("index", "probabilities", "edge cases", "onnxruntime"))
    assert (tmp_path / "penguins.onnx").exists()


def test_an_export_prints_json(penguins: Path, run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("export", penguins, "--to", "onnx", "-o", tmp_path / "penguins.onnx", "--json")
    document = json.loads(result.output)
    assert document["outputs"]["index"]["differing"] == 0
    assert document["outputs"]["probabilities"]["largest"] < 1e-12
    assert document["files"] == {str(tmp_path / "penguins.onnx"): (tmp_path / "penguins.onnx").stat().st_size}


def test_an_unknown_form_is_a_usage_error_that_names_the_known_ones(penguins: Path, run: Callable[..., Result]) -> None:
    result = run("export", penguins, "--to", "pmml", "-o", "m.pmml")
    assert result.exit_code == 2
    assert all(form in result.output for form in forms())


def test_a_file_of_another_suffix_is_refused(penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(NotExported, match=r"does not end in \.onnx"):
        exports.export(penguins, "onnx", tmp_path / "penguins.txt")


def test_a_missing_runtime_is_named_with_the_line_that_installs_it(
    penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(exports.find("onnx")), "needs", ("onnx", "a_runtime_that_is_not_here"))
    with pytest.raises(exports.ToolkitError, match="a_runtime_that_is_not_here, which is not installed") as refused:
        exports.export(penguins, "onnx", tmp_path / "penguins.onnx")
    assert refused.value.next_step == 'python -m pip install "flyweight[onnx]"'

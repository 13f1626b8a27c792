"""The programs of `docs/exports.md` run as they are printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.predictor import load
from flyweight.toolkit.exporting import forms
from flyweight.toolkit.exporting.export import export
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "exports.md").read_text()


BOARD = """#include <cstdio>
enum { A0 = 3, A1 = 8 };
struct Port {
    void begin(long) {}
    void println(int v) { std::printf("%d\\n", v); }
};
static Port Serial;
static inline int analogRead(int pin) { return pin; }
static inline void delay(unsigned long) {}
"""  # what the sketch needs of Arduino.h; each pin reads its own number


def block(language: str, place: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[place]


def test_each_form_has_a_row() -> None:
    assert all(f"| `{form}` |" in PAGE for form in forms())


def test_the_program_of_onnxruntime_prints_a_label(penguins: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    export(penguins, "onnx", tmp_path / "penguins.onnx", rows=50)
    done = subprocess.run([sys.executable, "-c", block("python")], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Adelie [")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed as cc")
def test_the_program_in_c_prints_the_same_label(penguins: Path, tmp_path: Path) -> None:
    export(penguins, "c", tmp_path / "penguins.h", rows=50)
    (tmp_path / "main.c").write_text(block("c"))
    subprocess.run(
        ["cc", "-std=c99", "-ffp-contract=off", "-Wall", "-Werror", "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True
    )
    assert subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.startswith("Adelie 1.000")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler is installed as g++")
@pytest.mark.parametrize("standard", ["c++17", "gnu++11"])
def test_the_sketch_compiles_as_cpp_and_prints_the_index(standard: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).uniform(0, 10, size=(90, 2))
    estimator = LogisticRegression().fit(X, np.digitize(X[:, 1] - X[:, 0], [-2, 2]))
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=X, name="model", engine="pure", edge_count=20)
    export(tmp_path / "m.safetensors", "c", tmp_path / "model.h", rows=50)
    (tmp_path / "Arduino.h").write_text(BOARD)
    (tmp_path / "sketch.cpp").write_text(block("c", 1) + "\nint main() { setup(); loop(); }\n")
    words = ["g++", f"-std={standard}", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-include", "Arduino.h", "sketch.cpp"]
    subprocess.run([*words, "-o", "sketch"], cwd=tmp_path, check=True)
    (expected,) = load(str(tmp_path / "m.safetensors")).predict([[3.0, 8.0]]).predictions
    printed = subprocess.run(["./sketch"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert int(printed) == expected == 2

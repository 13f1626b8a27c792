"""C headers compile without a warning and answer as the model does, bit for bit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import InvalidInput
from flyweight.models import file as model_file
from flyweight.toolkit.exporting.c import running
from flyweight.toolkit.exporting.c.source import Source, number, text
from flyweight.toolkit.exporting.edge_cases import rows_of
from flyweight.toolkit.exporting.export import export, find
from flyweight.toolkit.exporting.planned import NotExported, Planned
from tests.toolkit.exporting.conftest import MODELS, NOT_IN_C, ROWS

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed as cc")
HELD = [name for name in MODELS if name not in NOT_IN_C]
EXPONENTIAL = {"linear", "network", "mixed", "gradient", "histogram", "categorical", "lightgbm"}
EXPONENTIAL |= {"votes", "kernel", "isolation"}  # whose last digit is the C library's


@pytest.mark.slow
@pytest.mark.parametrize("name", HELD)
def test_a_header_answers_as_the_model_does(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    exported = export(model(name), "c", tmp_path / "export.h", rows=ROWS)
    for output, own in exported.proof.outputs.items():
        assert own.rows > ROWS // 2
        if sys.version_info >= (3, 12):  # whose sums of products are those of the header
            assert own.differing == 0 or (output not in ("index", "values") and name in EXPONENTIAL)
        assert own.beyond == 0  # of 1e-12 of the scale of the terms


def test_a_header_says_what_it_is_and_how_it_was_proved(model: Callable[[str], Path], tmp_path: Path) -> None:
    export(model("forest"), "c", tmp_path / "export.h", rows=20)
    comment = (tmp_path / "export.h").read_text().partition("*/")[0]
    assert "flyweight.sha256: " in comment
    assert '"runtime"' in comment


@pytest.mark.slow
def test_a_header_compiles_as_c99_and_in_two_units_of_one_program(model: Callable[[str], Path], tmp_path: Path) -> None:
    for name in ("forest", "linear"):
        export(model(name), "c", tmp_path / f"{name}.h", rows=20)
    (tmp_path / "a.c").write_text('#include "forest.h"\n#include "linear.h"\nint main(void) { return 0; }\n')
    (tmp_path / "b.c").write_text('#include "forest.h"\nint other(void);\nint other(void) { return forest_features; }\n')
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wno-unused-const-variable", "-Wno-unused-variable"]
    subprocess.run(["cc", *flags, "-o", "program", "a.c", "b.c", "-lm"], cwd=tmp_path, check=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler is installed as g++")
@pytest.mark.parametrize("name", HELD)
def test_a_header_compiles_as_cpp_too(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "m.h").write_bytes(find("c").write(Planned(model_file.read(str(model(name)))))[".h"])
    (tmp_path / "m.cpp").write_text('#include "m.h"\n')
    words = ["g++", "-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-c", "m.cpp"]
    subprocess.run(words, cwd=tmp_path, check=True)


def test_an_op_that_c_does_not_have_is_refused_by_its_name(model: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(NotExported, match=r"the op imputers\.nearest: exports to C do not have it"):
        export(model("neighbors"), "c", tmp_path / "export.h")


def test_numbers_and_texts_are_written_exactly() -> None:
    assert float.fromhex(number(0.1)) == 0.1
    assert [number(v) for v in (float("inf"), float("-inf"), float("nan"))] == ["INFINITY", "-INFINITY", "NAN"]
    assert text('a"é1') == '"a\\042\\303\\2511"'


def test_a_function_brings_those_that_it_calls() -> None:
    source = Source("m")
    source.use("shares")
    functions = source.functions()
    assert [
        name for name in ("m_two_sum(", "m_sum(", "m_shares(") if f"double {name}" in functions or f"void {name}" in functions
    ]
    assert "m_dot" not in functions


@pytest.mark.slow
@pytest.mark.needs("aarch64-linux-gnu-gcc", "qemu-aarch64")
@pytest.mark.parametrize("name", HELD)
def test_another_processor_gives_the_same_bits(name: str, model: Callable[[str], Path], tmp_path: Path) -> None:
    planned = Planned(model_file.read(str(model(name))))
    (tmp_path / "m.h").write_bytes(find("c").write(planned)[".h"])
    widths = {output: len(planned.kinds[slot]) for output, slot in planned.outputs.items()}
    asked = {"widths": widths, "kinds": planned.kinds[0], "name": planned.name}
    rows = [row for row in rows_of(planned, ROWS)[1] if not is_refused(planned, row)]
    assert len(rows) > ROWS // 2
    here = running.opened(str(tmp_path / "m.h"), asked)[2](rows)
    there = running.opened(str(tmp_path / "m.h"), asked, ("aarch64-linux-gnu-gcc", "-static"), ("qemu-aarch64",))[2](rows)
    assert repr(there) == repr(here)
    exact = {output for output in widths if output in ("index", "values") or name not in EXPONENTIAL}
    if sys.version_info >= (3, 12):
        for row, own in zip(rows, there, strict=True):
            values = planned.engine.values(row)
            assert {output: repr(own[output]) for output in exact} == {
                output: repr([*map(float, values[planned.outputs[output]])]) for output in exact
            }


def is_refused(planned: Planned, row: list[Any]) -> bool:
    try:
        planned.engine.values(row)
    except InvalidInput:
        return True
    return False

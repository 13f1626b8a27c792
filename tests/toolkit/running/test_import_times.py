"""Python's list of imports, read back as a tree, and added up by package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.toolkit.running import import_times
from flyweight.toolkit.running.import_times import Module, costliest, modules, read_importers

seconds = st.integers(0, 10**7).map(lambda microseconds: microseconds / 1e6)
trees = st.recursive(
    st.builds(Module, st.sampled_from(["a", "a.b", "json", "numpy.core", "x_1"]), seconds),
    lambda inner: st.builds(Module, st.sampled_from(["c", "re", "pandas"]), seconds, st.lists(inner, max_size=3)),
    max_leaves=20,
)
NEEDY = {"engines": ["sklearn"], "requires": {"joblib": "1"}}
PURE = {"engines": ["pure", "numpy"], "requires": {}}


def line(name: str, own: float, depth: int) -> str:
    """A line as Python writes it: microseconds, and two blanks a level."""
    return f"import time: {round(1e6 * own):9d} | {0:10d} | {'  ' * depth}{name}\n"


def written(module: Module, depth: int = 0) -> str:
    """Write a tree as Python does: what a module imports stands before it, two blanks further right."""
    return "".join(written(child, depth + 1) for child in module.children) + line(module.name, module.own, depth)


@given(st.lists(trees, max_size=4))
def test_a_list_of_imports_is_read_as_the_tree_that_it_is(tops: list[Module]) -> None:
    header = "import time: self [us] | cumulative | imported package\n"
    assert modules(header + '{"level":"INFO"}\n'.join(written(top) for top in tops)) == tops


@pytest.mark.parametrize("form", ["importtime", "importtime=1"])
def test_what_this_python_writes_is_read(form: str) -> None:
    done = subprocess.run([sys.executable, "-X", form, "-c", "import fractions"], capture_output=True, text=True, check=True)
    tree = {top.name: top for top in modules(done.stderr)}
    assert "decimal" in {child.name for child in tree["fractions"].children} and tree["fractions"].whole > tree["fractions"].own


def test_a_package_has_its_own_modules_and_the_standard_librarys_that_it_imports_first(tmp_path: Path) -> None:
    log = written(Module("app", 0.001, [Module("numpy", 0.010, [Module("numpy.core", 0.020), Module("ctypes", 0.005)])]))
    (tmp_path / "app.py").touch()
    found = costliest(log, "", {"numpy": f"{tmp_path}/app.py:3"}, tmp_path, PURE)
    assert [(one.name, round(1000 * one.seconds), one.by) for one in found] == [("numpy", 35, "app.py:3"), ("app", 1, "")]


def test_what_an_empty_function_imports_as_well_is_not_counted(tmp_path: Path) -> None:
    log = written(Module("boto3", 0.010, [Module("json", 0.020)]))
    (one,) = costliest(log, written(Module("json", 0.020)), {}, tmp_path, None)
    assert (one.name, one.seconds) == ("boto3", 0.010)


def test_the_costliest_is_first_and_cheap_ones_are_left_out(tmp_path: Path) -> None:
    log = "".join(line(f"package_{number}", number / 1e3, 0) for number in range(20)) + line("little", 0.0001, 0)
    found = costliest(log, "", {}, tmp_path, None)
    assert [one.name for one in found] == [f"package_{number}" for number in range(19, 11, -1)]


@pytest.mark.parametrize(
    ("name", "by", "document", "advice"),
    [
        ("numpy", "flyweight_steps.py:1", PURE, "the pure engine does not need it"),
        ("boto3", "app.py:3", None, "import it inside the function that uses it"),
        (
            "joblib",
            "flyweight/engines/sklearn.py:9",
            NEEDY,
            "the model's engine needs it",
        ),
        ("scipy", "flyweight/engines/sklearn.py:9", NEEDY, "the engine imports it"),
        ("pytz", "pandas/compat.py:4", PURE, "comes with pandas"),
        ("sqlite3", "", PURE, ""),
    ],
)
def test_the_advice_fits_the_importer(
    name: str, by: str, document: dict[str, object] | None, advice: str, tmp_path: Path
) -> None:
    (one,) = costliest(line(name, 0.05, 0), "", {name: by}, tmp_path, document)
    assert one.advice.startswith(advice)


def test_a_file_of_the_folder_that_imports_a_large_part_of_the_standard_library_is_told_which(tmp_path: Path) -> None:
    (tmp_path / "flyweight_steps.py").touch()
    log = written(Module("flyweight_steps", 0.001, [Module("asyncio", 0.010, [Module("ssl", 0.020)])]))
    (one,) = costliest(log, "", {}, tmp_path, PURE)
    assert one.advice.startswith("most of it is asyncio, 30 ms")


def test_the_probe_names_the_file_and_the_line_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("\n\ndef later():\n    __import__('fractions')\n    import colorsys\n")
    out = tmp_path / "importers.tsv"
    subprocess.run(
        [sys.executable, "-c", "import mine; mine.later()"], cwd=tmp_path, env=import_times.variables(out), check=True, stderr=-3
    )
    found = read_importers(out)
    assert found["fractions"].endswith("mine.py:4") and found["colorsys"].endswith("mine.py:5")
    assert read_importers(tmp_path / "none.tsv") == {}

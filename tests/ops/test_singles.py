"""Numbers are rounded to float32 as C does it, and as Python's `array` does."""

from __future__ import annotations

import subprocess
import sys
from array import array

from hypothesis import given
from hypothesis import strategies as st

from flyweight.ops._singles import rounded
from tests.conftest import ROOT


@given(st.lists(st.floats()))
def test_numbers_are_rounded_as_by_array(values: list[float]) -> None:
    assert repr(rounded(values)) == repr(array("f", values).tolist())


def test_what_is_beyond_the_range_is_infinite() -> None:
    assert rounded([3.5e38, -1e300, 1.0]) == [float("inf"), -float("inf"), 1.0]


def test_array_is_not_imported_for_usual_numbers() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'shared')!r}); from flyweight.ops._singles import rounded; "
        "print(rounded([0.1]), 'array' in sys.modules, 'collections' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.stdout == "[0.10000000149011612] False False\n", done.stderr

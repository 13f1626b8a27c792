"""A cold start is split into steps that add up to it, in all rounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.running.cold_start import STEPS, Series, steps
from flyweight.toolkit.targets.runtime import Answer, Runtime

milliseconds = st.floats(0, 1000)


def series(*totals: float, timing: str = "") -> Series:
    """Rounds that took these milliseconds, whose answers have this Server-Timing."""
    headers = {"server-timing": timing} if timing else {}
    return Series(Runtime, Path(), {}, [Answer(200, headers, b"{}", total / 1000) for total in totals])


def in_ms(found: dict[str, float]) -> dict[str, float]:
    return {step: round(1000 * seconds, 6) for step, seconds in found.items()}


def test_the_import_is_what_an_empty_function_and_the_other_steps_leave() -> None:
    ours = series(50, 70, 40, timing="init;dur=9.0, load;dur=5.0, predict;dur=1.0")
    found = in_ms(steps(ours, series(30, 29, 90), 0.010))
    assert found == {"interpreter": 10, "client": 20, "import": 14, "load": 5, "first answer": 1}


def test_where_a_client_runs_nothing_else_the_function_counts_its_import() -> None:
    ours = series(50, timing="init;dur=9.0, fetch;dur=4.0, verify;dur=1.0, load;dur=5.0, predict;dur=1.0")
    found = in_ms(steps(ours, None, 0.010))
    assert found == {"interpreter": 10, "client": 20, "import": 9, "fetch": 4, "verify": 1, "load": 5, "first answer": 1}
    assert [*found] == [*STEPS]


def test_a_folder_of_ones_own_has_no_steps_of_flyweights() -> None:
    assert in_ms(steps(series(50), series(30), 0.010)) == {"interpreter": 10, "client": 20, "import": 20}


@given(milliseconds, milliseconds, st.floats(0, 100), milliseconds, st.booleans())
def test_no_step_is_negative_and_all_add_up(total: float, empty: float, interpreter: float, load: float, bare: bool) -> None:
    ours = series(total, timing=f"init;dur=3.0, load;dur={load:.3f}, predict;dur=0.5")
    found = steps(ours, series(empty) if bare else None, interpreter / 1000)
    assert min(found.values()) >= 0
    if total >= load + 4:
        assert sum(found.values()) == pytest.approx(total / 1000)


def test_a_target_without_an_empty_function_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match="no empty function to compare with"):
        Runtime.empty(tmp_path)

"""Bills of a page reckoned by hand from the tables of prices, every figure written out."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned

GB = 0.0135 + 0.001  # Python and the folder, which each visit loads


def test_pages_are_free() -> None:
    assert planned("browser", TEN) == planned("browser", TEN, "pages") == {"files and requests": 0.0}


@pytest.mark.parametrize(
    ("name", "kept", "loaded", "out", "free"),
    [
        ("Page on S3", 0.023, 0.0000004, 0.09, 100),
        ("Page on Cloud Storage", 0.02, 0.0000004, 0.12, 1),
        ("Page on Azure", 0.0208, 0.0000004, 0.087, 100),
    ],
)
def test_a_bucket_is_paid_by_what_visits_load(name: str, kept: float, loaded: float, out: float, free: float) -> None:
    told = amounts(named(name, TEN))
    assert told["files kept, GB"] == pytest.approx(GB * kept)
    assert told["files loaded"] == pytest.approx(12 * 10_000_000 * loaded)  # 48
    assert told["data out, GB"] == pytest.approx((GB * 10_000_000 - free) * out)

"""Bills of a Worker: the example of Cloudflare's own page, and one by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.toolkit.costs.bills import MODEL, TEN, amounts, named, planned


def test_the_published_example_comes_out() -> None:
    """15 million requests of 7 ms are $8.00."""
    told = named("Cloudflare Workers", replace(TEN, requests=15e6, measured=replace(MODEL, warm=0.007)))
    assert amounts(told) == pytest.approx({"paid plan": 5.0, "requests": 1.5, "CPU, milliseconds": 1.5})


def test_a_plan_has_nothing_more() -> None:
    assert planned("cloudflare", TEN) == pytest.approx({"paid plan": 5.0, "requests": 0.0, "CPU, milliseconds": 1.4})

"""Each family answers as scikit-learn does: on its sample, and on rows made to break it."""

from __future__ import annotations

import sys

import pytest

from flyweight.models import file as model_file
from flyweight.toolkit.packing.pack import pack
from tests.parity import families

# `make parity` tries 100,000 a family; on other Pythons sums alone are made in another way
EDGES = 500 if sys.version_info[:2] == (3, 13) else 200
FAMILIES = families()
CASES = [(family, name) for family, cases in FAMILIES.items() for name in cases]


@pytest.mark.parametrize(("family", "name"), CASES, ids=[f"{family}/{name}" for family, name in CASES])
def test_engine_answers_as_the_estimator(family: str, name: str) -> None:
    estimator, sample = FAMILIES[family][name]()
    packed = pack(estimator, sample=sample, edge_count=EDGES, engine="pure")
    assert packed.parity.rows_sample + packed.parity.rows_edge >= EDGES + 100
    assert packed.parity.label_differences == 0
    assert model_file.parse(packed.data).document["engines"] == ["pure", "numpy"], "the same plan by batches is another answer"


@pytest.mark.parametrize("family", [family for family in FAMILIES if "dates" not in family])  # only a sample tells datetimes
def test_a_model_packs_without_a_sample(family: str) -> None:
    """The features that the estimator remembers are enough for a signature and a proof."""
    estimator, _ = next(iter(FAMILIES[family].values()))()
    assert pack(estimator, edge_count=200, engine="pure").parity.rows_sample == 0

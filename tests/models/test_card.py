"""A model and a packing report show themselves in a notebook, with every text escaped and no colours of their own."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import flyweight
from flyweight.models.card import FEATURES_SHOWN, card, parity_text
from flyweight.predictor import Predictor
from tests import fitted
from tests.ops.hostile import predictor

HOSTILE = "<script>alert('x')</script>&\"</td>"


class Reader(HTMLParser):
    """Collects the texts of a document, and checks that its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [] and reader.tags <= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    colours = re.findall(r"[;\"](?:color|background)[a-z-]*:([^;\"]*)", html)
    assert {*colours} <= {"inherit"}, "a colour would not be readable on every page"
    return reader.texts


def test_a_model_shows_its_signature_engine_parity_size_and_hash(penguins: Path) -> None:
    model = flyweight.load(str(penguins))
    texts = read(model._repr_html_())
    for told in ("penguins 1.0.0", "classification", "pure, numpy", f"{len(model.file.data):,} bytes", model.file.sha256):
        assert told in texts, told
    assert any("0 labels differ" in text and "344 rows of the sample" in text for text in texts)
    assert [text for text in texts if text in fitted.penguins()[1].columns] == [*fitted.penguins()[1].columns]
    assert "Biscoe, Dream, Torgersen" in texts and "32.1 to 59.6" in texts


def test_a_packing_report_shows_its_steps_and_its_proof() -> None:
    estimator, X = fitted.penguins()
    packed = flyweight.pack(estimator, sample=X, name="penguins", edge_count=20)
    texts = read(packed._repr_html_())
    for told in ("penguins 1.0.0", "pure", "OneHotEncoder", "not written: give `pack` a path", packed.sha256):
        assert told in texts, told


def test_every_text_is_escaped() -> None:
    html = card(HOSTILE, {HOSTILE: HOSTILE}, [((HOSTILE,), [(HOSTILE,)], HOSTILE)])
    assert read(html).count(HOSTILE) == 6
    assert "<script" not in html


@pytest.mark.parametrize("parity", [None, [], {}, {"bounds": 5}, {"bounds": {"index": HOSTILE}, "largest": {HOSTILE: HOSTILE}}])
def test_a_file_of_others_can_not_break_the_page(parity: Any) -> None:
    take = {"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [0]}
    features = [
        {"name": HOSTILE, "kind": "string", "nullable": True, "categories": [HOSTILE, 5, None]},
        *({"name": str(place), "kind": "number", "nullable": True, "range": [0, 1e300]} for place in range(FEATURES_SHOWN + 4)),
    ]
    signature = {"task": "regression", "features": features, "outputs": 1}
    model: Predictor = predictor([{**take, "positions": [1]}], "y", signature=signature, parity=parity, provenance=HOSTILE)
    texts = read(model._repr_html_())
    assert HOSTILE in texts and "and 5 more features" in texts


def test_parity_that_was_not_compared_says_so() -> None:
    assert parity_text({"rows_sample": 0, "rows_edge": 0, "bounds": {}}) == "not compared"
    assert parity_text(None) is None

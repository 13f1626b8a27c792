"""The batch benchmark runs each engine on a model of each kind of input."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks import batches
from flyweight import engines


def test_a_few_rows_are_measured_every_way(tmp_path: Path) -> None:
    out = tmp_path / "batches.json"
    chosen = ["--rows", "64", "--seconds", "0", "--models", "ridge,penguins,ordinal,k-means", "--out", str(out)]
    before = engines.BATCH
    done = CliRunner().invoke(batches.main, chosen, catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(out.read_text())
    assert [row["model"].partition(" ")[0] for row in found["models"]] == ["ridge", "penguins,", "ordinal", "k-means,"]
    for row in found["models"]:
        assert row["engines"] == ["pure", "numpy"]
        ways = ("pure_lists", "numpy_lists", "sklearn_lists", "numpy_table", "sklearn_table")
        assert all(row[way] > 0.0 for way in ways)
        assert row["times_pure"] == round(row["pure_lists"] / row["numpy_lists"], 2)
    assert found["models"][1]["methods"] == ["predict", "predict_proba"]
    assert found["models"][2]["methods"] == ["transform"]
    assert engines.BATCH == before
    assert "gains from" in done.output

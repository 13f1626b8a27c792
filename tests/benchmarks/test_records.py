"""The benchmark of records runs, and all its handlers give the same labels."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks import records


def test_a_few_records_are_measured_every_way(tmp_path: Path) -> None:
    out = tmp_path / "records.json"
    chosen = ["--records", "70", "--rounds", "2", "--models", "linear,mixed", "--out", str(out)]
    done = CliRunner().invoke(records.main, chosen, catch_exceptions=False)
    assert done.exit_code == 0
    for row in json.loads(out.read_text())["models"]:
        assert row["same"] == 70
        assert all(row[way] > 0 for way in ("numpy", "pure", "per_record"))
    assert "one by one" in done.output

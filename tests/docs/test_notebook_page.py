"""The session of `docs/notebook.md` runs, and what it says of tables holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import flyweight
from tests.conftest import PYTHON, ROOT

PAGE = (ROOT / "docs" / "notebook.md").read_text()


def test_the_session_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    for block in blocks:
        # the page builds for the default Python, which this machine may not have
        exec(block.replace('flyweight.build("aws", packed)', f'flyweight.build("aws", packed, python="{PYTHON}")'), names)
    answer, transforms, invoked, url, address = capsys.readouterr().out.splitlines()
    assert answer == f"{names['estimator'].predict(names['X'].head(1)).tolist()} [0, 1]"
    assert (transforms, invoked[:3]) == ("False", "200") and '"predictions"' in invoked
    assert url.startswith("http://127.0.0.1:") and address.endswith("/models/flats/1.0.0")
    model, row = names["model"], names["X"].head(1)
    for table in (pl.DataFrame(row.to_dict("list")), row.convert_dtypes(dtype_backend="pyarrow"), row.to_dict("records")):
        assert model.predict(table).predictions == model.predict(row).predictions
    for wrong in (["Oslo", 2], pl.LazyFrame({"city": ["Oslo"]}), pd.DataFrame({"City": ["Oslo"], "rooms": [2]})):
        with pytest.raises(flyweight.InvalidInput):
            model.predict(wrong)
    assert "<table" in model._repr_html_() and "<table" in names["packed"]._repr_html_()

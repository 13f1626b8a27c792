"""The commands and the settings of `docs/serving.md` work as the page says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.settings import Caching, read
from flyweight.toolkit.cli import main
from tests.conftest import ROOT
from tests.services.fixtures import Bucket

PAGE = (ROOT / "docs" / "serving.md").read_text()


def test_the_commands_push_build_and_invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Bucket, penguins: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", str(tmp_path / "cache"))
    (block,) = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines():
        words = shlex.split(line.replace("s3://my-bucket/models", s3.root), comments=True)
        told = CliRunner().invoke(main, words[1:])
        assert told.exit_code == 0, f"{line}\n{told.output}"
    assert not Path("build/aws/model.safetensors").exists()
    assert "==" not in Path("build/aws/requirements.txt").read_text(), "a model in S3 needs no packages"
    answered = CliRunner().invoke(main, ["invoke", "aws", "--model", f"{s3.root}/penguins@prod", "--json"])
    assert json.loads(answered.stdout)["answer"]["headers"]["x-flyweight-sha256"]


def test_the_variables_are_read_as_written() -> None:
    settings = read("/home", dict(re.findall(r'^(FLYWEIGHT_\w+)="(.*)"$', PAGE, re.MULTILINE)))
    assert [*settings.models] == ["iris", "churn"] and settings.preload == ("iris",)
    assert settings.canary is not None and settings.canary.share == 0.05
    assert settings.shadow is not None and settings.shadow.share == 0.2


def test_the_table_of_settings_has_their_defaults() -> None:
    rows = dict(re.findall(r"^\| `FLYWEIGHT_(\w+)` \| `?([^|`]+?)`? \|", PAGE, re.MULTILINE))
    defaults = {name.upper(): value for name, value in Caching()._asdict().items()}
    assert {name: rows[name] for name in defaults} == {
        name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in defaults.items()
    }


def test_the_figures_are_the_measured_ones() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "cold_stores.json").read_text())["functions"]
    for name, row in measured.items():
        assert f"| {name} | {row['cold_ms']:.0f} | {row['against_empty']:.2f} | {row['peak_mb']:.0f} |" in PAGE

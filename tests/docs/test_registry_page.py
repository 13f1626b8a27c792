"""The commands of `docs/registry.md`, run in order against S3."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import flyweight
from flyweight.toolkit.cli import main
from tests import fitted
from tests.conftest import ROOT
from tests.services.fixtures import Bucket

PAGE = (ROOT / "docs" / "registry.md").read_text()


def test_the_commands_run_in_order_and_do_what_their_comments_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Bucket, penguins: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penguins.safetensors").write_bytes(penguins.read_bytes())
    estimator, sample = fitted.penguins()
    for version in ("1.1.0", "1.2.0"):
        packing = {"sample": sample, "name": "penguins", "version": version, "edge_count": 10}
        flyweight.pack(estimator, f"penguins-{version}.safetensors", **packing)
    lines = [line for block in re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()]
    assert len(lines) == 14
    for line in lines:
        told = CliRunner().invoke(main, shlex.split(line.replace("s3://my-bucket/models", s3.root), comments=True)[1:])
        assert told.exit_code == 0, f"{line}\n{told.output}"
        if "models show" in line or "models rollback" in line:
            assert f"penguins {'1.1.0' if 'show' in line else '1.0.0'}" in told.stdout
    assert Path("current.safetensors").read_bytes() == penguins.read_bytes()
    listed = CliRunner().invoke(main, ["models", "ls", f"{s3.root}/penguins", "--json"])
    assert json.loads(listed.stdout)["aliases"] == {"latest": "1.2.0"}


def test_the_settings_that_the_page_names_are_read() -> None:
    source = (ROOT / "shared" / "flyweight" / "settings" / "__init__.py").read_text()
    for name in set(re.findall(r"`FLYWEIGHT_(\w+)`", PAGE)):
        assert f'"{name}"' in source or name.lower() in source, name

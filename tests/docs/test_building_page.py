"""The commands of `docs/building.md`, run in their order, make what the page says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from flyweight import predictor
from flyweight.toolkit.cli import main
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.publishing import registry, signing
from tests.services.fixtures import Bucket
from tests.targets.handler import ROOT

PAGE = (ROOT / "docs" / "building.md").read_text()


def commands() -> list[list[str]]:
    lines = "".join(re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)).splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_every_command_runs_and_makes_what_the_page_names(
    penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Bucket
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(penguins, "penguins.safetensors")
    file = predictor.load("penguins.safetensors").file
    document = {**file.document, "requires": {"joblib": version("joblib")}}  # an engine's own packages would take a minute
    model_writer.write(Path("heavy.safetensors"), model_writer.to_bytes(document, load_file("penguins.safetensors")))
    signing.new_key(Path("private.pem"))
    signature = signing.sign(file.sha256, "penguins", "1.0.0", Path("private.pem"))
    registry.at(s3.root).push(Path("penguins.safetensors"), ("prod",))
    signing.write(Path("penguins.safetensors"), file.sha256, signature)
    for name, *arguments in commands():
        assert name == "flyweight"
        words = [word.replace("s3://my-bucket/models", s3.root) for word in arguments]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, f"{words}\n{result.output}"
    built = Path("build")
    for place in ("aws.cdx.json", "zipped.zip", "heavy.lock.txt", "gcp.lock.txt", "gcp/model.safetensors.sig", "heavy/joblib"):
        assert (built / place).exists(), place
    assert (built / "heavy.lock.txt").read_text() == (built / "again.lock.txt").read_text()
    assert {path.name for path in (built / "azure/flyweight/engines").glob("*.py")} >= {"onnx.py", "sklearn.py"}
    assert json.loads((built / "zipped/flyweight.json").read_text())["runtime"] == "3.13"
    assert Path("penguins/handlers/azure/function_app.py").is_file()


def test_every_option_of_building_that_the_page_names_exists() -> None:
    shown = CliRunner().invoke(main, ["build", "--help"]).output + CliRunner().invoke(main, ["new", "--help"]).output
    named = {option for option in re.findall(r"`(--[a-z-]+)", PAGE)}
    assert named and not [option for option in named if option not in shown and option != "--platform"]

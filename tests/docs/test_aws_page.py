"""The page for AWS: the first prediction fits on one screen, and the tools accept the commands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_provider_docs import commands
from tests.targets.aws.awscli import complaints
from tests.targets.aws.cloudformation import Template
from tests.targets.aws.sam import sam_said
from tests.targets.conftest import FOLDER, KEYS, Cloud, cloud, source
from tests.targets.handler import ROOT

__all__ = ["cloud", "source"]

PAGE = ROOT / "docs" / "providers" / "aws.md"
AWS = [found for line in commands(PAGE) for found in re.findall(r'(?:^|\$\()(aws (?:"[^"]*"|[^)"])*)', line)]


def test_the_first_prediction_fits_on_one_screen() -> None:
    screen = PAGE.read_text().partition("\n## Later deployments")[0]
    assert screen.count("\n") <= 40


@pytest.mark.parametrize("line", AWS)
def test_the_service_has_the_command_and_its_options(line: str) -> None:
    assert complaints(line.replace('"$(', "").rstrip('"')) == []


def test_curl_has_the_options() -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    known = subprocess.run([curl, "--help", "all"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in commands(PAGE) if line.startswith("curl ")]
    assert lines
    for word in {word for line in lines for word in shlex.split(line) if word.startswith("--")}:
        assert f" {word} " in known, word


def test_a_guided_deployment_asks_for_each_parameter_and_begins(source: Template, cloud: Cloud, tmp_path: Path) -> None:
    """Answer each question by its default; the deployment ends where the account would create the bucket for uploads."""
    (line,) = [line for line in commands(PAGE) if "--guided" in line]
    shutil.copytree(FOLDER, tmp_path / "infra" / "aws")
    made = tmp_path / ".aws-sam" / "build"  # as `sam build` leaves it
    (made / "Function").mkdir(parents=True)
    (made / "Function" / "app.py").touch()
    (made / "template.yaml").write_text((FOLDER / "template.yaml").read_text().replace("../../build/aws", "Function"))
    answers = "\n" * 100
    told = sam_said(*shlex.split(line)[1:], cwd=tmp_path, given=answers, AWS_ENDPOINT_URL=cloud.endpoint, **KEYS)
    assert "Stack Name [flyweight]:" in told
    for name, parameter in source["Parameters"].items():
        assert f"Parameter {name} [{parameter['Default']}]:" in told
    assert "Looking for resources needed for deployment" in told

"""Each platform's own tool gets lines that it takes, and files with this deployment's values."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session
from botocore.validate import ParamValidator
from click.testing import CliRunner, Result

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from tests.targets.aws import awscli
from tests.targets.gcp.gcloud import complaints, needs_gcloud

TABLES = {"input": "s3://tables/birds", "output": "s3://tables/an swers", "arguments": "--keep id --on-error raise"}
GIVEN: dict[str, list[str]] = {
    "databricks": ["--set", "workers=3"],
    "dataproc_serverless": ["--group", "my-project", "--set", "bucket=my-bucket"],
    "emr_serverless": ["--set", "bucket=my-bucket", "--set", "environment=s3://my-bucket/environment.tar.gz"],
    "kubernetes": ["--group", "birds", "--set", "image=example.com/spark:1", "--set", "files=s3a://my-bucket/job"],
    "submit": ["--set", "master=spark://127.0.0.1:7077", "--set", "options=--executor-memory 4g"],
    "synapse": ["--set", "workspace=w", "--set", "pool=p", "--set", "account=a"],
}
TOOLS = ("aws", "az", "databricks", "env", "gcloud", "kubectl", "spark-submit")
STAND_IN = "#!{python} -IS\nimport json, os, sys\nopen({file!r}, 'a').write(json.dumps([*sys.argv, os.getcwd()]) + '\\n')\n"
JOB = ["--input", TABLES["input"], "--output", TABLES["output"], "--keep", "id", "--on-error", "raise"]
each = pytest.mark.parametrize("platform", GIVEN)


def flyweight(verb: str, platform: str, *words: object) -> Result:
    return CliRunner().invoke(main, [verb, "spark", "--platform", platform, *map(str, words)])


def deployed(platform: str, folder: Path, *words: str) -> Result:
    pairs = [word for name, value in TABLES.items() for word in ("--set", f"{name}={value}")]
    return flyweight("deploy", platform, "--folder", folder, "--name", "birds", *GIVEN[platform], *pairs, *words)


@pytest.fixture
def printed(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """The lines of a platform that a dry run prints, for each verb."""
    monkeypatch.chdir(tmp_path)

    def lines(platform: str) -> list[str]:
        done = deployed(platform, built("spark"), "--dry-run")
        assert done.exit_code == 0, done.output
        found = done.stdout.splitlines()
        kept = [*GIVEN[platform][:2]] if GIVEN[platform][0] == "--group" else []
        for verb, more in {"status": [], "logs": ["--since", "1h"], "destroy": []}.items():
            asked = flyweight(verb, platform, "--name", "birds", *kept, *more, "--dry-run")
            assert asked.exit_code == 0, asked.output
            found += asked.stdout.splitlines()
        return found

    return lines


def test_every_platform_is_here() -> None:
    assert targets.find("spark").platforms() == sorted(GIVEN)


@each
def test_every_line_is_one_that_a_shell_reads(platform: str, printed: Callable[[str], list[str]]) -> None:
    done = subprocess.run(["bash", "-n"], input="\n".join(printed(platform)), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


@needs_gcloud
def test_gcloud_takes_every_line(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    lines = printed("dataproc_serverless")
    assert len(lines) >= 4 and complaints(lines, tmp_path) == []


def test_the_aws_cli_takes_every_line_and_the_description_of_the_run(printed: Callable[[str], list[str]]) -> None:
    lines = [re.sub(r"^\w+=\$\((.*)\)$", r"\1", line) for line in printed("emr_serverless")]
    assert len(lines) >= 8
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []
    (start,) = [shlex.split(line) for line in lines if "start-job-run" in line]
    given = {
        name: json.loads(start[start.index(f"--{xform_name(name, '-')}") + 1]) for name in ("jobDriver", "configurationOverrides")
    }
    described = get_session().get_service_model("emr-serverless").operation_model("StartJobRun").input_shape.members
    for name, value in given.items():
        assert not ParamValidator().validate(value, described[name]).has_errors()
    assert given["jobDriver"]["sparkSubmit"]["entryPointArguments"] == JOB


@each
def test_deploy_runs_the_platforms_tool_and_keeps_a_release(
    platform: str, built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, place = tmp_path / "ran.jsonl", tmp_path / "stand-ins"
    place.mkdir()
    for tool in TOOLS:
        (place / tool).write_text(STAND_IN.format(python=sys.executable, file=str(file)))
        (place / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    done = deployed(platform, built("spark"))
    assert done.exit_code == 0, done.output
    assert "no: it has no address" in done.stdout and "1: penguins 1.0.0" in done.stdout
    ran = [json.loads(line) for line in file.read_text().splitlines()]
    assert any(check(platform, words) for words in ran), ran
    assert deployed(platform, built("spark")).exit_code == 0
    before = len(file.read_text().splitlines())
    back = flyweight("rollback", platform, "--name", "birds", *(GIVEN[platform][:2] if "--group" in GIVEN[platform] else []))
    assert back.exit_code == 0, back.output
    again = [json.loads(line) for line in file.read_text().splitlines()[before:]]
    assert any(check(platform, words) for words in again), "the job of the release before runs again"


def check(platform: str, words: list[str]) -> bool:
    """Whether a command line starts the job with its words."""
    text = " ".join(words)
    if platform == "databricks":
        place = Path(words[-1])
        if words[1:4] != ["bundle", "run", "score"]:
            return False
        values = json.loads((place / ".databricks" / "bundle" / "default" / "variable-overrides.json").read_text())
        return bool(values["arguments"] == JOB and values["workers"] == "3" and (place / "files" / "flyweight.zip").is_file())
    if platform == "kubernetes":
        return "apply" in words and manifest(Path(words[-1]))["spec"]["arguments"] == JOB
    if platform == "synapse":
        return "submit" in words and shlex.split(words[-2]) == JOB
    if platform == "emr_serverless":
        return "start-job-run" in words and "entryPointArguments" in text
    return words[-1 - len(JOB) : -1] == JOB


def manifest(work: Path) -> Any:
    (path,) = (work / ".flyweight" / "spark").glob("*.spark-application.json")
    return json.loads(path.read_text())


def test_the_manifest_of_kubernetes_has_the_values_of_the_deployment(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    printed("kubernetes")
    made = manifest(tmp_path)
    assert made["metadata"]["name"] == "birds" and made["spec"]["image"] == "example.com/spark:1"
    assert made["spec"]["mainApplicationFile"] == "s3a://my-bucket/job/spark_job.py"
    assert made["spec"]["deps"] == {
        "pyFiles": ["s3a://my-bucket/job/flyweight.zip"],
        "files": ["s3a://my-bucket/job/model.safetensors"],
    }


@each
def test_a_missing_or_strange_parameter_is_named(platform: str, built: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        missing = flyweight("deploy", platform, "--folder", built("spark"), "--dry-run")
        strange = deployed(platform, built("spark"), "--dry-run", "--set", "colour=red")
    assert missing.exit_code == 1 and "add --set input=..." in " ".join(missing.stderr.split())
    assert strange.exit_code == 1 and f"{platform} has no parameter 'colour'" in strange.stderr

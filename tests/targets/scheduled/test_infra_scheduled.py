"""`infra/scheduled`: each template is taken by the strictest judge that can be had, and says what the program takes."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file

from flyweight.toolkit import targets
from flyweight.toolkit.targets.aws import template
from flyweight.toolkit.targets.deployment import Deployment
from tests.targets.azure import arm_schemas
from tests.targets.handler import ROOT

INFRA = ROOT / "infra" / "scheduled"
STACKS = ("aws_batch", "step_functions")
ARM = json.loads((INFRA / "container_apps.json").read_text())
CLOUD_RUN = yaml.safe_load((INFRA / "cloud_run.yaml").read_text())
UNIT = INFRA / "flyweight-batch.service"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program of the image."""
    spec = importlib.util.spec_from_file_location("scheduled_main", ROOT / "handlers" / "scheduled" / "scheduled_main.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def machine() -> dict[str, Any]:
    """The definition of the state machine, with its parameters filled in."""
    properties = template.read(INFRA / "step_functions.yaml")["Resources"]["Machine"]["Properties"]
    values = {
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "Bucket": "penguins-in",
        "Prefix": "in/",
        "AtOnce": "50",
    }
    text = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], properties["DefinitionString"])
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.mark.parametrize("name", STACKS)
def test_cfn_lint_takes_the_stack(name: str) -> None:
    assert lint_file(INFRA / f"{name}.yaml") == []


@pytest.mark.parametrize(("kind", "faults"), [("Task", set()), ("Tusk", {"E3601"})])
def test_cfn_lint_takes_the_states_with_their_parameters_filled_in(kind: str, faults: set[str], tmp_path: Path) -> None:
    """With parameters in them it reads them not at all; those that are used no more are W2001."""
    text = (INFRA / "step_functions.yaml").read_text()
    before, _, rest = text.partition("      DefinitionSubstitutions:")
    states = json.dumps(machine(), indent=1).replace('"Task"', f'"{kind}"').replace("\n", "\n        ")
    whole = f"{before}      DefinitionString: |\n        {states}\n\n  ScheduleRole:{rest.partition('  ScheduleRole:')[2]}"
    (tmp_path / "stack.yaml").write_text(whole)
    assert {found.rule.id for found in lint_file(tmp_path / "stack.yaml")} - {"W2001"} == faults


@pytest.mark.parametrize("name", STACKS)
def test_rights_name_what_they_are_for(name: str) -> None:
    """`*` stands alone only for what has no resource: a token of ECR, a log's delivery and a trace."""
    made = template.read(INFRA / f"{name}.yaml")["Resources"].values()
    roles = [one["Properties"] for one in made if one["Type"] == "AWS::IAM::Role"]
    statements = [one for role in roles for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert roles and all(role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] for role in roles)
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        if statement["Resource"] == "*":
            assert {action.partition(":")[0] for action in actions} <= {"ecr", "logs", "xray"}
            assert not {"ecr:BatchGetImage", "logs:PutLogEvents"} & {*actions}


def test_the_map_hands_over_files_as_s3s_own_events_do() -> None:
    states = machine()["States"]["Files"]
    event = json.loads((ROOT / "events" / "aws" / "s3.eventbridge.json").read_text())
    selected = states["ItemSelector"]
    assert (selected["source"], selected["detail-type"]) == (event["source"], event["detail-type"])
    assert selected["detail"].keys() <= event["detail"].keys()
    assert selected["detail"]["object"].keys() <= event["detail"]["object"].keys()
    (task,) = states["ItemProcessor"]["States"].values()
    assert task["Retry"][0]["MaxAttempts"] > 10, "a file of several calls is continued by trying again"


def test_microsofts_schemas_take_the_resources() -> None:
    unknown = []
    for resource in ARM["resources"]:
        try:
            assert arm_schemas.faults(resource) == []
        except LookupError as error:
            unknown.append(str(error))
    if unknown:
        pytest.skip(f"{'; '.join(unknown)}; ARM_SCHEMAS leads to all of them")


def test_the_arm_template_names_only_what_it_declares_and_explains_it() -> None:
    text = (INFRA / "container_apps.json").read_text()
    assert json.dumps(ARM, indent=2, ensure_ascii=False) + "\n" == text
    assert set(re.findall(r"parameters\('(\w+)'\)", text)) == ARM["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", text)) == ARM["variables"].keys()
    for one in (ARM, *ARM["resources"], *ARM["parameters"].values(), *ARM["outputs"].values()):
        assert re.fullmatch(r"[A-Z].*\.", one["metadata"]["description"]), one


def test_each_template_starts_the_program_with_words_that_it_takes(program: ModuleType) -> None:
    definition = template.read(INFRA / "aws_batch.yaml")["Resources"]["Definition"]["Properties"]["ContainerProperties"]
    (app,) = [one for one in ARM["resources"] if one["type"] == "Microsoft.App/jobs"]
    unit = next(line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith("ExecStart="))
    cron = next(line for line in (INFRA / "crontab").read_text().splitlines() if not line.startswith("#"))
    args = app["properties"]["template"]["containers"][0]["args"]
    lines = [
        [word if isinstance(word, str) else "--keep=id" if "Keep" in str(word) else "s3://a/b" for word in definition["Command"]],
        ["--keep=id" if "keep" in word else "az://a/b" if "az://" in word else word for word in args],
        CLOUD_RUN["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["args"],
        unit.split()[2:],
        cron.partition("scheduled_main.py ")[2].partition(" >>")[0].split(),
    ]
    for words in lines:
        options = program.parser().parse_args(words)
        assert options.output and options.input and options.keep == "id"


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed; run: apt-get install systemd"
)
def test_systemd_takes_both_units_and_calls_the_service_closed(tmp_path: Path) -> None:
    for path in (UNIT, UNIT.with_suffix(".timer")):
        text = path.read_text().replace("/opt/flyweight-batch/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text)
    files = [str(tmp_path / path.name) for path in (UNIT, UNIT.with_suffix(".timer"))]
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *files], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    shown = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT], capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stdout[-200:]


def test_cloud_run_is_asked_for_what_its_own_types_know() -> None:
    assert (CLOUD_RUN["apiVersion"], CLOUD_RUN["kind"]) == ("run.googleapis.com/v1", "Job")
    task = CLOUD_RUN["spec"]["template"]["spec"]["template"]["spec"]
    assert task.keys() == {"maxRetries", "timeoutSeconds", "serviceAccountName", "containers"}


def test_cloud_runs_template_and_deployer_have_the_same_usual_values() -> None:
    job = CLOUD_RUN["spec"]["template"]["spec"]
    task = job["template"]["spec"]
    limits = task["containers"][0]["resources"]["limits"]
    usual = targets.find("scheduled").on("cloud_run_jobs").deployer.settings(Deployment())
    assert (usual["tasks"], usual["retries"]) == (str(job["taskCount"]), str(task["maxRetries"]))
    assert (usual["cpu"], usual["memory"], usual["timeout"]) == (limits["cpu"], limits["memory"], "24h")
    assert int(task["timeoutSeconds"]) == 24 * 3600

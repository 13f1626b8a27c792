"""`infra/spark`: each template is taken by the strictest judge that can be had without an account."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import yaml
from cfnlint.api import lint_file

from flyweight.toolkit.targets.aws import template
from tests.batch.conftest import environment
from tests.targets.handler import ROOT

INFRA = ROOT / "infra" / "spark"
BUNDLE: dict[str, Any] = yaml.safe_load((INFRA / "databricks.yml").read_text())
# Databricks' own models of a job, which refuse a field that they do not know
READ = "import json, sys; from databricks.bundles.jobs import Job; print(Job.from_dict(json.load(sys.stdin)).name)"


def test_cfn_lint_takes_the_application() -> None:
    assert lint_file(INFRA / "emr_serverless.yaml") == []


def test_a_run_may_read_its_files_and_its_tables_and_write_its_log_alone() -> None:
    made = template.read(INFRA / "emr_serverless.yaml")["Resources"]
    statements = [one for policy in made["Role"]["Properties"]["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert all(one["Resource"] != "*" and "*" not in str(one["Action"]) for one in statements)
    assert made["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def job_of(document: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    python = environment("databricks")
    return subprocess.run([python, "-c", READ], input=json.dumps(document), capture_output=True, text=True)


def test_databricks_own_models_take_the_job() -> None:
    (job,) = BUNDLE["resources"]["jobs"].values()
    done = job_of(job)
    assert done.returncode == 0, done.stderr
    job["tasks"][0]["spark_python_task"]["pythonfile"] = "x.py"
    assert "Unexpected field 'pythonfile'" in job_of(job).stderr


def test_the_bundle_declares_each_variable_that_it_uses() -> None:
    text = (INFRA / "databricks.yml").read_text()
    used = {name for name in BUNDLE["variables"] if f"${{var.{name}}}" in text}
    assert used == {*BUNDLE["variables"]} and text.count("${var.") == text.count("}") - text.count("${workspace.file_path}")


def test_pods_run_without_rights() -> None:
    spec = json.loads((INFRA / "spark-application.json").read_text())["spec"]
    for part in ("driver", "executor"):
        context = spec[part]["securityContext"]
        assert (
            context["runAsNonRoot"] and not context["allowPrivilegeEscalation"] and context["capabilities"] == {"drop": ["ALL"]}
        )
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["driver"]["serviceAccount"]

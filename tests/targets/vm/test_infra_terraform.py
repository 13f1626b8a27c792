"""Terraform for machines: on Google Cloud it plans what the script makes, on AWS it applies the template to moto."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.targets.aws.test_infra_terraform import PROVIDER
from tests.targets.conftest import KEYS, Cloud, cloud
from tests.targets.handler import ROOT
from tests.targets.terraform import plugins, terraform
from tests.targets.terraform_provider import provider
from tests.targets.test_infra_terraform import planned, resources

__all__ = ["cloud"]
RELEASE = 8 * "0123abcd"
GIVEN = {"project": "a-project", "name": "penguins", "bucket": "releases", "release": RELEASE}
SAME = {"PROJECT": "a-project", "NAME": "penguins", "BUCKET": "releases", "RELEASE": RELEASE}
TYPES = {
    "iam service-accounts": "google_service_account",
    "compute firewall-rules": "google_compute_firewall",
    "compute instance-templates": "google_compute_instance_template",
    "compute health-checks": "google_compute_region_health_check",
    "compute instance-groups": "google_compute_region_instance_group_manager",
    "compute backend-services": "google_compute_region_backend_service",
    "compute forwarding-rules": "google_compute_forwarding_rule",
}


@pytest.fixture(scope="module")
def reached() -> Iterator[dict[str, str]]:
    with provider("google") as found:
        yield found


@pytest.fixture(scope="module")
def plan(reached: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The resources that Terraform would make of a release."""
    return resources(planned("machines", tmp_path_factory.mktemp("machines"), reached, **GIVEN))


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    """The commands of the script's dry run, in words."""
    done = subprocess.run(
        ["bash", ROOT / "infra" / "vm" / "gcp.sh", "--dry-run"], env={**os.environ, **SAME}, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [shlex.split(line) for line in done.stdout.splitlines()]


def values(plan: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    (found,) = [one["values"] for one in plan if one["type"] == kind and name in ("", one["name"])]
    made: dict[str, Any] = found
    return made


def flags(lines: list[list[str]], *part: str) -> dict[str, str]:
    """The options of the one command that has these words one after the other."""
    (words,) = [words for words in lines if f" {' '.join(part)} " in f" {' '.join(words)} "]
    return {name: value for name, _, value in (word.partition("=") for word in words if word.startswith("--"))}


@pytest.mark.needs("terraform", "terraform-schemas")
def test_the_module_makes_what_the_script_makes(plan: list[dict[str, Any]], lines: list[list[str]]) -> None:
    created = [TYPES[" ".join(words[1:3])] for words in lines if "create" in words]
    kinds = [one["type"] for one in plan]
    assert sorted(kind for kind in kinds if kind in TYPES.values()) == sorted(created)
    assert {*kinds} - {*created} == {"google_storage_bucket_iam_member", "google_compute_region_autoscaler"}


@pytest.mark.needs("terraform", "terraform-schemas")
def test_the_machines_are_those_of_the_script(plan: list[dict[str, Any]], lines: list[list[str]]) -> None:
    template, script = values(plan, "google_compute_instance_template"), flags(lines, "instance-templates", "create")
    metadata = dict(pair.split("=") for pair in script["--metadata"].split(","))
    user_data = Path(script["--metadata-from-file"].partition("=")[2]).read_text()
    assert template["metadata"] == {**metadata, "user-data": user_data}
    assert template["machine_type"] == script["--machine-type"]
    (disk,) = template["disk"]
    assert disk["source_image"] == f"{script['--image-project']}/{script['--image-family']}"
    assert "--no-address" in script and not template["network_interface"][0].get("access_config")
    assert template["shielded_instance_config"][0].keys() == {
        *("enable_secure_boot", "enable_vtpm", "enable_integrity_monitoring")
    }
    assert all(template["shielded_instance_config"][0].values())


@pytest.mark.needs("terraform", "terraform-schemas")
def test_rights_and_doors_are_those_of_the_script(plan: list[dict[str, Any]], lines: list[list[str]]) -> None:
    right, script = values(plan, "google_storage_bucket_iam_member"), flags(lines, "buckets", "add-iam-policy-binding")
    (condition,) = right["condition"]
    assert right["role"] == script["--role"]
    assert f"title={condition['title']},expression={condition['expression']}" == script["--condition"]
    for name in ("callers", "sessions"):
        rule, door = values(plan, "google_compute_firewall", name), flags(lines, "create", f"penguins-{name}")
        assert sorted(rule["source_ranges"]) == sorted(door["--source-ranges"].split(","))
        (allowed,) = rule["allow"]
        assert f"{allowed['protocol']}:{allowed['ports'][0]}" == door["--allow"]


@pytest.mark.needs("terraform", "terraform-schemas")
def test_the_group_is_renewed_and_watched_as_by_the_script(
    plan: list[dict[str, Any]], lines: list[list[str]], reached: dict[str, str], tmp_path: Path
) -> None:
    check, script = values(plan, "google_compute_region_health_check"), flags(lines, "health-checks", "create")
    assert check["http_health_check"][0]["request_path"] == script["--request-path"]
    assert f"{check['check_interval_sec']}s" == script["--check-interval"]
    (policy,) = values(plan, "google_compute_region_autoscaler")["autoscaling_policy"]
    limits = flags(lines, "managed", "set-autoscaling")
    assert str(policy["max_replicas"]) == limits["--max-num-replicas"]
    assert str(policy["min_replicas"]) == limits["--min-num-replicas"]
    text = (ROOT / "infra" / "vm" / "gcp.sh").read_text()
    (update,) = values(plan, "google_compute_region_instance_group_manager")["update_policy"]
    assert f"--max-surge={update['max_surge_fixed']} --max-unavailable={update['max_unavailable_fixed']}" in text
    closed = resources(planned("machines", tmp_path, reached, **GIVEN, sessions=False))
    assert [one["name"] for one in closed if one["type"] == "google_compute_firewall"] == ["callers"]


@pytest.mark.needs("terraform", "terraform-schemas")
def test_a_release_that_is_no_sha256_is_refused(reached: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    cwd = tmp_path / "infra" / "terraform" / "machines"
    (cwd / "terraform.tfvars.json").write_text(json.dumps({**GIVEN, "release": "v1"}))
    terraform("init", "-no-color", cwd=cwd, **reached)
    told = terraform("plan", "-input=false", "-no-color", cwd=cwd, fails=True, **reached)
    assert "A release is named by the 64 digits" in re.sub(r"\s+", " ", told)


@pytest.mark.needs("terraform")
@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        ("vm/aws.yaml", {"Release": RELEASE, "Bucket": "releases"}),
        ("docker/fargate.yaml", {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/birds@sha256:" + RELEASE}),
    ],
)
def test_the_stack_of_a_template_is_planned_with_its_parameters(
    template: str, parameters: dict[str, str], cloud: Cloud, tmp_path: Path
) -> None:
    folder = plugins("aws")
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    cwd = tmp_path / "infra" / "terraform" / "stack"
    terraform("fmt", "-check", cwd=cwd)
    (cwd / "provider.tf").write_text(PROVIDER)
    (cwd / "terraform.tfvars.json").write_text(json.dumps({"template": template, "parameters": parameters}))
    terraform("init", "-input=false", f"-plugin-dir={folder}", cwd=cwd)
    assert "Success!" in terraform("validate", cwd=cwd)
    environ = {"AWS_ENDPOINT_URL": cloud.endpoint, **KEYS}
    terraform("plan", "-input=false", "-no-color", "-out=plan", cwd=cwd, **environ)
    (stack,) = json.loads(terraform("show", "-json", "plan", cwd=cwd, **environ))["planned_values"]["root_module"]["resources"]
    assert stack["values"]["template_body"] == (ROOT / "infra" / template).read_text()
    assert stack["values"]["parameters"] == parameters

"""`infra/terraform/vertex`: Terraform plans what the script makes, and prints the script's command for what it can't make."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.targets.handler import ROOT
from tests.targets.terraform_provider import provider
from tests.targets.test_infra_terraform import planned, resources
from tests.targets.vertex.shell_lines import dry_run, flags, variables

pytestmark = pytest.mark.needs("terraform", "terraform-schemas")
NAMES = {"project": "a-project", "name": "penguins"}
ALL: dict[str, Any] = {
    **NAMES,
    "model": {"bucket": "models", "folder": "root/penguins", "alias": "prod"},
    "invokers": ["user:ada@example.com"],
    "kms_key": "projects/a-project/locations/europe-west1/keyRings/ring/cryptoKeys/key",
    "logged": {"rate": 0.1, "table": "bq://a-project/logs/asked"},
    "labels": {"team": "ml"},
    "machine": {"type": "ct5lp-hightpu-1t", "tpu_topology": "1x1"},
}
SAME = {
    **{"PROJECT": "a-project", "NAME": "penguins", "OWN_ACCOUNT": "true", "MODEL": "gs://models/root/penguins@prod"},
    **{"INVOKERS": "user:ada@example.com", "KMS_KEY": ALL["kms_key"], "LOG_RATE": "0.1", "LABELS": "team=ml"},
    "LOG_TABLE": "bq://a-project/logs/asked",
}


@pytest.fixture(scope="module")
def reached() -> Iterator[dict[str, str]]:
    with provider("google") as found:
        yield found


@pytest.fixture(scope="module")
def plan(reached: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan of a module that is asked for everything."""
    return planned("vertex", tmp_path_factory.mktemp("all"), reached, **ALL)


def made(plan: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [one["values"] for one in resources(plan) if one["type"] == kind]
    values: dict[str, Any] = found
    return values


def test_nothing_is_given_to_anybody_unless_it_is_asked_for(reached: dict[str, str], tmp_path: Path) -> None:
    kinds = sorted(one["type"] for one in resources(planned("vertex", tmp_path, reached, **NAMES)))
    assert kinds == ["google_artifact_registry_repository", "google_service_account", "google_vertex_ai_endpoint"]


def test_the_endpoint_is_the_one_that_the_script_makes_and_finds(plan: dict[str, Any]) -> None:
    endpoint, script = made(plan, "google_vertex_ai_endpoint"), flags(dry_run(**SAME), "endpoints create")
    assert (endpoint["name"], endpoint["display_name"]) == (script["--endpoint-id"], script["--display-name"])
    assert endpoint["encryption_spec"][0]["kms_key_name"] == script["--encryption-kms-key-name"]
    (logged,) = endpoint["predict_request_response_logging_config"]
    assert str(logged["sampling_rate"]) == script["--request-response-logging-rate"]
    assert logged["bigquery_destination"][0]["output_uri"] == script["--request-response-logging-table"]
    assert script["--labels"] == "team=ml" and endpoint["labels"] == {"team": "ml"}


def test_each_right_is_the_scripts(plan: dict[str, Any]) -> None:
    lines = dry_run(**SAME)
    model, caller, role = (
        made(plan, f"google_{kind}") for kind in ("storage_bucket_iam_member", "project_iam_member", "project_iam_custom_role")
    )
    script = flags(lines, "buckets add-iam-policy-binding")
    assert model["role"] == script["--role"] and model["bucket"] == "models"
    assert script["--condition"].endswith(model["condition"][0]["expression"])
    assert role["permissions"] == flags(lines, "iam roles create")["--permissions"].split(",")
    assert role["role_id"] == "penguins_caller" and f" {role['role_id']} " in next(
        line for line in lines if "roles create" in line
    )
    assert caller["member"] == flags(lines, "projects add-iam-policy-binding")["--member"]


def test_what_terraform_can_not_make_is_the_scripts_command(plan: dict[str, Any]) -> None:
    """The identity's address is known once it is there."""
    text = (ROOT / "infra" / "terraform" / "vertex" / "outputs.tf").read_text()
    names = [word.partition("=")[0] for word in shlex.split(text.replace("?", " ").replace(",", " ")) if "=${" in word]
    assert {"PROJECT", "NAME", "MACHINE_TYPE", "TPU_TOPOLOGY", "SERVICE_ACCOUNT"} <= {*names} <= {*variables()}
    assert json.dumps(plan["planned_values"]["outputs"]["deploy"]["sensitive"]) == "false"

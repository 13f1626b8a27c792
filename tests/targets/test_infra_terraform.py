"""`infra/terraform/gcp` and `azure`: Terraform takes them by the providers' own schemas, and plans what the scripts make.

The providers themselves come from a registry, and are not asked: a stand-in has their schemas and makes nothing.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.targets.gcp.test_infra_script import asked_for, flags
from tests.targets.handler import ROOT
from tests.targets.terraform import terraform
from tests.targets.terraform_provider import provider

FOLDER = ROOT / "infra" / "terraform"
MODULES = {"gcp": "google", "vertex": "google", "machines": "google", "azure": "azurerm"}
GIVEN = {"project": "a-project", "image": "an-image"}
# the script's variables, and the module's that ask for the same
BUCKETS = {name: {"bucket": name, "folder": "a"} for name in ("out", "files")}
CHANNEL = "projects/a-project/notificationChannels/1"
BILLING = "0X0X0X-0X0X0X-0X0X0X"
SAME: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"MODEL": "gs://models/root/penguins@prod"}, {"model": {"bucket": "models", "folder": "root/penguins", "alias": "prod"}}),
    ({"RESULTS": "pubsub://a-project/answers"}, {"results_topic": "answers"}),
    ({"DEAD_LETTERS": "pubsub://a-project/rejected"}, {"dead_letters_topic": "rejected"}),
    ({"OUTPUT": "gs://out/a"}, {"output": BUCKETS["out"]}),
    ({"INVOKERS": "user:ada@example.com"}, {"invokers": ["user:ada@example.com"]}),
    ({"TRIGGER_TOPIC": "rows"}, {"trigger_topic": "rows"}),
    ({"TRIGGER_BUCKET": "files"}, {"trigger_bucket": "files"}),
    ({"TRIGGER_BUCKET": "files", "OUTPUT": "gs://out/a"}, {"trigger_bucket": "files", "output": BUCKETS["out"]}),
    ({"TRIGGER_BUCKET": "files", "OUTPUT": "gs://files/a"}, {"trigger_bucket": "files", "output": BUCKETS["files"]}),
    ({"SETTINGS": "FLYWEIGHT_MAX_INSTANCES=100"}, {"settings": {"FLYWEIGHT_MAX_INSTANCES": "100"}}),
    (
        {
            "CORS_ORIGINS": "https://a.example,https://b.example",
            "CORS_HEADERS": "content-type",
            "CORS_CREDENTIALS": "true",
            "CORS_MAX_AGE": "60",
        },
        {
            "cors": {
                "origins": ["https://a.example", "https://b.example"],
                "headers": ["content-type"],
                "credentials": True,
                "max_age": 60,
            }
        },
    ),
    ({"DOMAIN": "api.example.com"}, {"domain": "api.example.com"}),
    ({"ALERT_CHANNEL": CHANNEL}, {"alert_channel": CHANNEL}),
    (
        {"BUDGET": "20EUR", "BILLING_ACCOUNT": BILLING},
        {"budget": {"billing_account": BILLING, "currency": "EUR", "units": "20"}},
    ),
]

pytestmark = pytest.mark.needs("terraform", "terraform-schemas")


@pytest.fixture(scope="module")
def reached() -> Iterator[dict[str, dict[str, str]]]:
    """By module, what leads Terraform to the stand-in for its provider."""
    with ExitStack() as stack:
        yield {module: stack.enter_context(provider(name)) for module, name in MODULES.items()}


def copied(module: str, place: Path) -> Path:
    shutil.copytree(ROOT / "infra", place / "infra")
    return place / "infra" / "terraform" / module


def planned(module: str, place: Path, environ: dict[str, str], **given: Any) -> dict[str, Any]:
    """What Terraform would make of a module."""
    cwd = copied(module, place)
    (cwd / "terraform.tfvars.json").write_text(json.dumps(given))
    terraform("init", "-no-color", cwd=cwd, **environ)
    terraform("plan", "-input=false", "-no-color", "-out=plan", cwd=cwd, **environ)
    plan: dict[str, Any] = json.loads(terraform("show", "-json", "plan", cwd=cwd, **environ))
    return plan


def resources(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan["planned_values"]["root_module"].get("resources", [])
    return found


@pytest.mark.parametrize("module", MODULES)
def test_terraform_would_not_format_the_module_otherwise(module: str) -> None:
    done = subprocess.run(["terraform", f"-chdir={FOLDER / module}", "fmt", "-check", "-diff"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_module_names_what_it_declares_and_declares_nothing_idle(module: str) -> None:
    text = "\n".join(path.read_text() for path in sorted((FOLDER / module).glob("*.tf")))
    variables = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables
    assert len(re.findall(r"^  description = ", text, re.MULTILINE)) >= len(variables)


@pytest.mark.parametrize("module", MODULES)
def test_terraform_finds_each_name_type_and_required_argument_as_the_provider_has_them(
    module: str, reached: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    cwd = copied(module, tmp_path)
    terraform("init", "-no-color", cwd=cwd, **reached[module])
    terraform("validate", "-no-color", cwd=cwd, **reached[module])


@pytest.mark.parametrize(
    ("written", "wrong", "told"),
    [
        ("startup_cpu_boost", "start_cpu_boost", "Unsupported argument"),
        ("account_id = ", "display_name = ", "Missing required argument"),
        (
            "max_instance_request_concurrency = coalesce(var.concurrency, var.server ? 80 : 16)",
            "max_instance_request_concurrency = []",
            "Incorrect attribute value type",
        ),
    ],
)
def test_terraform_would_refuse_a_wrong_one(
    written: str, wrong: str, told: str, reached: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    cwd = copied("gcp", tmp_path)
    text = (cwd / "function.tf").read_text()
    assert written in text
    (cwd / "function.tf").write_text(text.replace(written, wrong))
    terraform("init", "-no-color", cwd=cwd, **reached["gcp"])
    assert told in terraform("validate", "-no-color", cwd=cwd, fails=True, **reached["gcp"])


@pytest.mark.parametrize(("target", "server"), [("gcp", False), ("cloudrun", True)])
def test_the_function_is_that_of_the_declarative_twin(
    target: str, server: bool, reached: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    plan = planned("gcp", tmp_path, reached["gcp"], **GIVEN, **({"server": True} if server else {}))
    made = {one["type"]: one["values"] for one in resources(plan)}
    assert set(made) == {"google_cloud_run_v2_service", "google_service_account"}
    (template,) = made["google_cloud_run_v2_service"]["template"]
    (container,), (scaling,) = template["containers"], template["scaling"]
    twin = yaml.safe_load((ROOT / "infra" / target / "service.yaml").read_text())["spec"]["template"]
    assert template["max_instance_request_concurrency"] == twin["spec"]["containerConcurrency"]
    assert template["timeout"] == f"{twin['spec']['timeoutSeconds']}s"
    assert container["resources"][0]["limits"] == twin["spec"]["containers"][0]["resources"]["limits"]
    assert container["resources"][0]["startup_cpu_boost"] is True
    assert (scaling["min_instance_count"], str(scaling["max_instance_count"])) == (
        0,
        twin["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"],
    )
    assert container["env"] == []
    (told,) = twin["spec"]["containers"]
    for probe, name in (("liveness_probe", "livenessProbe"),):
        assert [one["http_get"][0]["path"] for one in container[probe]] == ([told[name]["httpGet"]["path"]] if server else [])
        assert [one["period_seconds"] for one in container[probe]] == ([told[name]["periodSeconds"]] if server else [])


def rights(lines: list[str]) -> set[tuple[str, str, str]]:
    """Role, on what, and the condition of each right that the script gives."""
    found = set()
    for line in lines:
        words, given = shlex.split(line), flags(line)
        if "add-iam-policy-binding" in words:
            condition = given.get("--condition", "None").partition("expression=")[2]
            found.add((given["--role"], words[words.index("add-iam-policy-binding") + 1].removeprefix("gs://"), condition))
    return found


@pytest.mark.parametrize(("variables", "given"), SAME, ids=lambda value: "+".join(value))
def test_what_stands_around_it_is_what_the_script_makes(
    variables: dict[str, str], given: dict[str, Any], reached: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    made = resources(planned("gcp", tmp_path, reached["gcp"], **GIVEN, **given))
    lines = asked_for(OWN_ACCOUNT="true", **variables)
    theirs = {
        (
            (one["values"]["role"]),
            next(one["values"][name] for name in ("bucket", "topic", "name", "project") if one["values"].get(name)),
            "".join(condition["expression"] for condition in one["values"].get("condition") or []),
        )
        for one in made
        if "_iam_member" in one["type"]
    }
    assert theirs == rights(lines)
    deploy = next(line for line in lines if line.startswith("gcloud run deploy"))
    (service,) = [one["values"] for one in made if one["type"] == "google_cloud_run_v2_service"]
    env = {one["name"]: one["value"] for one in service["template"][0]["containers"][0]["env"]}
    assert env == dict(pair.split("=", 1) for pair in flags(deploy).get("--set-env-vars", "").split(",") if pair)
    created = [shlex.split(line) for line in lines if " create " in line]
    assert len([one for one in made if not re.search("_iam_member|cloud_run_v2_service$", one["type"])]) == len(created)
    filters = [word.partition("=")[2] for words in created for word in words if word.startswith("--event-filters=")]
    triggers = [one["values"] for one in made if one["type"] == "google_eventarc_trigger"]
    assert [f"{one['attribute']}={one['value']}" for trigger in triggers for one in trigger["matching_criteria"]] == filters


def test_network_key_identity_and_labels_are_those_that_are_given(reached: dict[str, dict[str, str]], tmp_path: Path) -> None:
    key, own = "projects/p/locations/l/keyRings/r/cryptoKeys/k", "mine@a-project.iam.gserviceaccount.com"
    given = {"network": {"network": "inner", "subnet": "functions", "egress": "ALL_TRAFFIC"}, "kms_key": key}
    given |= {"service_account": own, "labels": {"team": "ml"}, "results_topic": "answers", "trigger_bucket": "files"}
    made = resources(planned("gcp", tmp_path, reached["gcp"], **GIVEN, **given))
    (service,) = [one["values"] for one in made if one["type"] == "google_cloud_run_v2_service"]
    (template,) = service["template"]
    (access,) = template["vpc_access"]
    assert (access["egress"], access["network_interfaces"][0]["network"]) == ("ALL_TRAFFIC", "inner")
    assert (template["encryption_key"], template["service_account"], service["labels"]) == (key, own, {"team": "ml"})
    # an identity that is there gets no right from here; that of the trigger is made as ever
    assert [one["values"]["account_id"] for one in made if one["type"] == "google_service_account"] == ["flyweight-trigger"]
    members = {one["values"].get("member") for one in made if "_iam_member" in one["type"]}
    assert not [member for member in members if member and own in member]
    assert not [one for one in made if one["type"] in ("google_pubsub_topic_iam_member", "google_storage_bucket_iam_member")]


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        ("azure/main.json", {"instanceMemoryMB": 512, "scoreFiles": True}),
        ("vm/azure.json", {"storageAccount": "account"}),
        ("docker/container_apps.json", {"name": "birds"}),
        ("docker/app_service.json", {"name": "birds"}),
        ("azure_ml/main.json", {}),
    ],
)
def test_azures_module_deploys_an_arm_template_with_the_parameters_that_are_given(
    template: str, parameters: dict[str, Any], reached: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    whole = json.loads((ROOT / "infra" / template).read_text())
    assert parameters.keys() <= whole["parameters"].keys()
    given = {"resource_group": "a-group", "template": template, "parameters": parameters}
    (made,) = resources(planned("azure", tmp_path, reached["azure"], **given))
    assert (made["type"], made["values"]["resource_group_name"]) == ("azurerm_resource_group_template_deployment", "a-group")
    for explained in (whole, *whole["resources"]):
        explained.pop("metadata", None)  # Azure does not return it, and the next plan would show a change
    assert json.loads(made["values"]["template_content"]) == whole
    written = json.loads(made["values"]["parameters_content"])
    assert written == {name: {"value": value} for name, value in parameters.items()}
    assert f'"{template}"' in (text := (FOLDER / "azure" / "main.tf").read_text()) or template in text

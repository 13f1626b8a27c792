"""`flyweight deploy docker` to each platform: the file for Compose and the templates are taken by their judges, and closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file
from click.testing import CliRunner, Result

from flyweight import settings
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.targets.aws import template
from tests.targets.aws import awscli
from tests.targets.azure import arm_schemas
from tests.targets.handler import ROOT

INFRA = ROOT / "infra" / "docker"
COMPOSE = yaml.safe_load((INFRA / "compose.yaml").read_text())
(SERVICE,) = COMPOSE["services"].values()
FARGATE = template.read(INFRA / "fargate.yaml")
ARM = {name: json.loads((INFRA / f"{name}.json").read_text()) for name in ("app_service", "container_apps")}
RESOURCES = [pytest.param(one, id=f"{name}-{one['type']}") for name, document in ARM.items() for one in document["resources"]]
DIGEST = "0123456789ab" + "0" * 52
IMAGE = targets.find("docker").package.image
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html; IAM takes "*" alone for the first
START = {
    "*": {"ecr:GetAuthorizationToken"},
    "repository": {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
    "Log.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
}

Run = Callable[..., Result]


@pytest.fixture
def run(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a verb in a folder with a built folder and its image's layout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "docker").symlink_to(built("docker"))
    layout = tmp_path / "build" / "docker.oci"
    layout.mkdir()
    (layout / "index.json").write_text(json.dumps({"manifests": [{"digest": f"sha256:{DIGEST}"}]}))
    return lambda verb, *words: CliRunner().invoke(main, [verb, "docker", "--name", "penguins", "--dry-run", *words])


def test_the_specification_of_compose_takes_the_file_and_knows_each_key() -> None:
    models = pytest.importorskip("compose_spec.models", reason="compose-spec is not installed; run: pip install compose-spec")
    models.ComposeSpecification.model_validate(COMPOSE)
    known = {field.alias or name for name, field in models.Service.model_fields.items()}
    assert SERVICE.keys() <= known
    with pytest.raises(ValueError, match="pids_limit"):
        models.ComposeSpecification.model_validate({"services": {"model": {**SERVICE, "pids_limit": []}}})


def test_the_container_is_closed_and_is_asked_as_the_image_is() -> None:
    assert IMAGE is not None
    assert (SERVICE["user"], SERVICE["read_only"], SERVICE["cap_drop"]) == (IMAGE.user, True, ["ALL"])
    assert SERVICE["security_opt"] == ["no-new-privileges:true"] and not SERVICE.keys() & {
        "privileged",
        "cap_add",
        "network_mode",
    }
    assert SERVICE["environment"]["PORT"] == str(IMAGE.port)
    assert "127.0.0.1" in SERVICE["ports"][0] and "-256m" in SERVICE["mem_limit"]
    assert int(SERVICE["stop_grace_period"].rstrip("s")) > settings.serving().grace_seconds
    (task,) = FARGATE["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    assert (task["User"], task["ReadonlyRootFilesystem"]) == (IMAGE.user, True)
    assert task["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
    assert task["StopTimeout"] > settings.serving().grace_seconds


def test_compose_builds_the_folder_starts_it_and_goes_back_to_an_image(run: Run, tmp_path: Path) -> None:
    shown = run("deploy", "--set", "MEMORY=512m", "--tag", "team=ml").stdout.splitlines()
    build, up = [line for line in shown if "docker build" in line or " up " in line]
    assert "--label team=ml --file .flyweight/docker/penguins.Dockerfile build/docker" in build
    assert "USER 65532:65532" in (tmp_path / ".flyweight" / "docker" / "penguins.Dockerfile").read_text()
    (tag,) = re.findall(r"--tag (\S+)", build)
    assert up.startswith(f"env IMAGE={tag} MEMORY=512m docker compose --project-name penguins --file ")
    assert up.endswith(" up --detach --wait")
    named = run("deploy", "--set", "IMAGE=ghcr.io/ada/penguins:1", "--group", "there").stdout
    assert "docker build" not in named and "IMAGE=ghcr.io/ada/penguins:1 docker --context there compose" in named
    for verb in ("status", "logs", "destroy"):
        assert "docker" in run(verb).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "MEMROY=1g"], "compose.yaml has no variable MEMROY (MEMORY?)"),
        (["--set", "IMAGE=Not An Image"], "'Not An Image' is not a valid name of an image"),
        (["--platform", "nomad"], "the target docker has no platform 'nomad'"),
        (["--platform", "fargate"], "the image needs a place in a registry"),
        (["--platform", "container_apps"], "container_apps.json needs image, callers"),
        (["--platform", "fargate", "--set", "Image=penguins"], "Image is written as"),
    ],
)
def test_what_can_not_be_deployed_is_refused_in_words(words: list[str], told: str, run: Run) -> None:
    done = run("deploy", *words)
    assert done.exit_code == 1 and told in done.stderr


def test_a_platform_is_found_by_listing_and_chosen_by_an_option_or_a_parameter(run: Run) -> None:
    assert targets.find("docker").platforms() == ["app_service", "compose", "container_apps", "fargate"]
    assert targets.find("vm").platforms() == ["aws", "azure", "gcp", "none"] and targets.find("aws").platforms() == []
    given = ["--set", "image=ghcr.io/ada/penguins:1", "--set", "callers=0.0.0.0/0"]
    shown = [
        run("deploy", *chosen, *given).stdout
        for chosen in (["--platform", "app_service"], ["--cloud", "app_service"], ["--set", "platform=app_service"])
    ]
    assert "app_service.json" in shown[0] and len(set(shown)) == 1
    for platform in targets.find("docker").platforms():
        deployer = targets.find("docker").on(platform).deployer
        assert deployer.name == "docker" and deployer.settings(_nothing())["platform"] == platform
        assert deployer.creates(_nothing())


def _nothing() -> Any:
    from flyweight.toolkit.targets.deployment import Deployment

    return Deployment()


def test_fargate_gets_an_image_with_a_tag_of_its_digest_and_the_aws_cli_takes_every_line(run: Run) -> None:
    place = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/penguins"
    given = [f"Image={place}", "VpcId=vpc-1", "SubnetIds=subnet-1,subnet-2"]
    shown = run("deploy", "--platform", "fargate", *[word for one in given for word in ("--set", one)]).stdout.splitlines()
    assert f"flyweight image push build/docker.oci {place}:{DIGEST[:12]} --user AWS" in "\n".join(shown)
    assert any(line.endswith(f"Image={place}:{DIGEST[:12]}") for line in shown)
    for verb in ("status", "logs", "destroy"):
        shown += run(verb, "--platform", "fargate").stdout.splitlines()
    own = [line for line in shown if line.startswith("aws ")]
    assert len(own) > 6 and [fault for line in own for fault in awscli.complaints(line)] == []


@pytest.mark.parametrize("platform", ARM)
def test_azure_pulls_from_a_registry_of_its_own_by_identity_and_others_as_anybody(platform: str, run: Run) -> None:
    words = ["--platform", platform, "--group", "mine", "--set", "callers=198.51.100.0/24"]
    own = run("deploy", *words, "--set", "image=birds.azurecr.io/penguins").stdout
    assert f"flyweight image push build/docker.oci birds.azurecr.io/penguins:{DIGEST[:12]} --user 00000000-" in own
    assert "registry=birds" in own and f"image=birds.azurecr.io/penguins:{DIGEST[:12]}" in own
    other = run("deploy", *words, "--set", "image=ghcr.io/ada/penguins:1").stdout
    assert "image push" not in other and "registry= " in other and "image=ghcr.io/ada/penguins:1" in other


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(match) for match in lint_file(INFRA / "fargate.yaml")] == []


def test_ecs_starts_the_task_with_one_repository_and_one_log_and_the_task_itself_has_no_right() -> None:
    (policy,) = FARGATE["Resources"]["StartRole"]["Properties"]["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        actions, place = statement["Action"], json.dumps(statement["Resource"])
        (known,) = [name for name in START if name in place.replace("repository/${Repository}", "repository")][-1:]
        assert {actions} if isinstance(actions, str) else {*actions} == START[known]
    roles = [one for one in FARGATE["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 1 and "ManagedPolicyArns" not in roles[0]["Properties"]
    assert template.broken_rules(FARGATE, {"Model": "s3://models/penguins@prod"}) == [
        "Model asks for TaskRoleArn, a role that may read it"
    ]


@pytest.mark.parametrize("resource", RESOURCES)
def test_microsofts_schema_takes_the_resource(resource: dict[str, Any]) -> None:
    try:
        assert arm_schemas.faults(resource) == []
    except LookupError as error:
        pytest.skip(f"{error}; ARM_SCHEMAS leads to all of them")


@pytest.mark.parametrize("platform", ARM)
def test_an_arm_template_names_only_what_it_declares_explains_it_and_lets_callers_in_alone(platform: str) -> None:
    document, text = ARM[platform], (INFRA / f"{platform}.json").read_text()
    assert json.dumps(document, indent=2, ensure_ascii=False) + "\n" == text
    assert set(re.findall(r"parameters\('(\w+)'\)", text)) == document["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", text)) == document["variables"].keys()
    for one in (document, *document["resources"], *document["parameters"].values(), *document["outputs"].values()):
        assert re.fullmatch(r"[A-Z].*\.", one["metadata"]["description"]), one
    assert not re.search(r"listKeys|listCredentials|password|securestring", text, re.IGNORECASE)
    properties = document["resources"][-1]["properties"]
    settled = properties.get("siteConfig") or properties["configuration"]["ingress"]
    (rule,) = settled["ipSecurityRestrictions"]
    assert rule["action"] == "Allow" and "[parameters('callers')]" in rule.values()

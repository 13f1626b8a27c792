"""The recipe for Greengrass and the manifest for IoT Edge have the published forms, and the commands are those of the tools."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from flyweight.settings.edge import edge
from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command
from flyweight.toolkit.targets.deployment import Deployment

GROUP = "arn:aws:iot:eu-central-1:123456789012:thinggroup/mills"
GREENGRASS = {"target": GROUP, "bucket": "my-bucket", "model": "s3://my-bucket/models/penguins@prod", "port": "9000"}
IOT_EDGE = {"hub": "my-hub", "condition": "tags.place = 'mill'", "IMAGE": "acr.azurecr.io/penguins:1.0", "FORWARD": "az://a/b"}
# https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html
RECIPE = {
    "RecipeFormatVersion", "ComponentName", "ComponentVersion", "ComponentDescription", "ComponentPublisher",
    "ComponentConfiguration", "ComponentDependencies", "ComponentType", "ComponentSource", "Manifests", "Lifecycle",
}  # fmt: skip
MANIFEST = {"Name", "Platform", "Lifecycle", "Selections", "Artifacts"}
LIFECYCLE = {"Setenv", "Install", "Startup", "Run", "Shutdown", "Recover", "Bootstrap"}
ARTIFACT = {"Uri", "Unarchive", "Permission", "Digest", "Algorithm"}
# https://learn.microsoft.com/azure/iot-edge/module-edgeagent-edgehub, "edgeAgent desired properties"
MODULE = {"version", "type", "status", "restartPolicy", "startupOrder", "imagePullPolicy", "settings", "env"}


def deployment(built: Callable[[str], Path], work: Path, platform: str, parameters: dict[str, str]) -> Deployment:
    folder = shutil.copytree(built("edge"), work / "folder")
    return Deployment("birds", "eu-central-1", folder=folder, work=work / "work", parameters=parameters, platform=platform)


@pytest.fixture
def greengrass(built: Callable[[str], Path], tmp_path: Path) -> tuple[Any, Deployment]:
    return targets.find("edge").on("greengrass").deployer, deployment(built, tmp_path, "greengrass", GREENGRASS)


@pytest.fixture
def iot_edge(built: Callable[[str], Path], tmp_path: Path) -> tuple[Any, Deployment]:
    return targets.find("edge").on("iot_edge").deployer, deployment(built, tmp_path, "iot_edge", IOT_EDGE)


def option(command: Command, name: str) -> str:
    return command.words[command.words.index(name) + 1]


def test_the_recipe_has_the_published_form_and_the_artifact_its_digest(greengrass: tuple[Any, Deployment]) -> None:
    deployer, where = greengrass
    copy, made, _ = deployer.deploy(where)
    recipe = json.loads(Path(option(made, "--inline-recipe").removeprefix("fileb://")).read_text())
    (manifest,) = recipe["Manifests"]
    (artifact,) = manifest["Artifacts"]
    assert {*recipe} <= RECIPE and {*manifest} <= MANIFEST and {*manifest["Lifecycle"]} <= LIFECYCLE and {*artifact} <= ARTIFACT
    assert recipe["RecipeFormatVersion"] == "2020-01-25" and recipe["ComponentName"] == "birds"
    assert re.fullmatch(r"1\.0\.0-[0-9a-f]{12}", recipe["ComponentVersion"])
    archive = Path(copy.words[3])
    digest = hashlib.sha256(archive.read_bytes()).digest()
    assert base64.b64decode(artifact["Digest"]) == digest and artifact["Algorithm"] == "SHA-256"
    assert artifact["Uri"] == copy.words[4] == f"s3://my-bucket/birds/{digest.hex()}.zip" and artifact["Unarchive"] == "ZIP"
    assert f"/{archive.stem}'" in manifest["Lifecycle"]["Run"]["Script"]  # the folder into which the zip is unpacked


def test_the_recipes_variables_are_the_agents_settings(greengrass: tuple[Any, Deployment]) -> None:
    deployer, where = greengrass
    recipe = json.loads(deployer.recipe(where, "ab" * 32, "s3://my-bucket/x.zip"))
    variables = recipe["Manifests"][0]["Lifecycle"]["Setenv"]
    defaults = recipe["ComponentConfiguration"]["DefaultConfiguration"]
    used = {found for value in variables.values() for found in re.findall(r"{configuration:/(\w+)}", value)}
    assert used == {*defaults}
    filled = {
        name: re.sub(r"{configuration:/(\w+)}", lambda found: defaults[found[1]], value) for name, value in variables.items()
    }
    filled["FLYWEIGHT_EDGE_DEVICE"] = "thing"
    assert edge(filled).edge_state == "{work:path}/state"
    unknown = [name for name in variables if name.startswith("FLYWEIGHT_") and not _known(name)]
    assert unknown == []


def _known(name: str) -> bool:
    from flyweight import settings

    return settings.misspelt({name: ""}) == []


def test_the_aws_cli_takes_each_command(greengrass: tuple[Any, Deployment]) -> None:
    """By the model of the service from which the AWS CLI makes its options."""
    deployer, where = greengrass
    service = botocore.session.get_session().get_service_model("greengrassv2")
    commands = [*deployer.deploy(where), *deployer.status(where), *deployer.live_label(where)]
    commands += [*deployer.roll_back(where, "1.0.0-ab"), *deployer.destroy(where)]
    asked = [one.words for one in commands if one.words[1] == "greengrassv2"]
    assert {words[2] for words in asked} == {
        "create-component-version",
        "create-deployment",
        "list-deployments",
        "get-deployment",
    }
    for words in asked:
        name = "".join(part.capitalize() for part in words[2].split("-"))
        shape = service.operation_model(name).input_shape
        given = dict(zip(words[3::2], words[4::2], strict=True))
        for general in ("--region", "--query", "--output"):
            given.pop(general, None)
        values: dict[str, Any] = {}
        for option_name, value in given.items():
            first, *rest = option_name.removeprefix("--").split("-")
            member = first + "".join(part.capitalize() for part in rest)
            kind = shape.members[member].type_name
            values[member] = json.loads(value) if kind in ("map", "structure") else b"" if kind == "blob" else str(value)
        assert not ParamValidator().validate(values, shape).has_errors(), words
    sent = json.loads(option(deployer.deploy(where)[-1], "--components"))["birds"]
    merged = json.loads(sent["configurationUpdate"]["merge"])
    assert merged == {"Port": "9000", "Model": "s3://my-bucket/models/penguins@prod"}


def test_the_manifest_adds_one_module_without_a_port(iot_edge: tuple[Any, Deployment]) -> None:
    deployer, where = iot_edge
    (made,) = deployer.deploy(where)
    assert "--layered" in made.words and option(made, "--target-condition") == "tags.place = 'mill'"
    document = json.loads(Path(option(made, "--content")).read_text())
    agent = document["content"]["modulesContent"]["$edgeAgent"]
    assert [*agent] == ["properties.desired.modules.birds"]  # the form of a layered deployment
    module = agent["properties.desired.modules.birds"]
    assert {*module} <= MODULE and module["settings"]["image"] == "acr.azurecr.io/penguins:1.0"
    options = json.loads(module["settings"]["createOptions"])
    # the names of Docker's API: https://docs.docker.com/reference/api/engine/version/v1.43/#tag/Container/operation/ContainerCreate
    assert options["HostConfig"]["NetworkMode"] == "host" and "PortBindings" not in options["HostConfig"]
    assert "ExposedPorts" not in options and options["HostConfig"]["ReadonlyRootfs"] is True
    values = {name: item["value"] for name, item in module["env"].items()}
    assert values["FLYWEIGHT_HOST"] == "127.0.0.1" and values["FLYWEIGHT_EDGE_FORWARD"] == "az://a/b"
    named = edge({**values, "IOTEDGE_DEVICEID": "mill-7"})  # a variable of the runtime of IoT Edge
    assert (named.edge_device, named.edge_forward) == ("mill-7", "az://a/b")


def test_going_back_on_iot_edge_removes_the_newest_deployment(iot_edge: tuple[Any, Deployment]) -> None:
    deployer, where = iot_edge
    lines = [str(one) for one in deployer.roll_back(where, "birds-10")]
    assert 'az iot edge deployment delete --hub-name my-hub --deployment-id "$DEPLOYMENT"' in lines[-1]
    assert "az iot edge deployment delete --hub-name my-hub --deployment-id" in str(deployer.destroy(where)[0])


@pytest.mark.parametrize(
    ("platform", "parameters", "told"),
    [
        ("greengrass", {}, "needs the parameter target"),
        ("greengrass", {**GREENGRASS, "target": "mills"}, "not a valid name of a target"),
        ("greengrass", {**GREENGRASS, "prot": "1"}, r"no parameter prot \(port\?\)"),
        ("iot_edge", {}, "needs the parameter hub"),
        ("iot_edge", {**IOT_EDGE, "hubb": "x"}, r"no parameter hubb \(hub\?\)"),
    ],
)
def test_parameters_are_refused_in_words(
    platform: str, parameters: dict[str, str], told: str, built: Callable[[str], Path], tmp_path: Path
) -> None:
    deployer = targets.find("edge").on(platform).deployer
    with pytest.raises(DeployFailed, match=told):
        deployer.deploy(deployment(built, tmp_path, platform, parameters))


def test_a_container_has_the_network_of_the_device_and_a_volume(built: Callable[[str], Path], tmp_path: Path) -> None:
    import yaml

    deployer = targets.find("edge").on("container").deployer
    where = deployment(built, tmp_path, "container", {"PORT": "9000"})
    lines = [str(one) for one in deployer.deploy(where)]
    assert "docker build" in lines[0] and "PORT=9000" in lines[1]
    service = yaml.safe_load((where.infra / "edge" / "compose.yaml").read_text())["services"]["model"]
    assert service["network_mode"] == "host" and "ports" not in service and service["volumes"] == ["state:/tmp"]
    assert edge(
        {**service["environment"], **dict.fromkeys(("FLYWEIGHT_EDGE_MODEL", "FLYWEIGHT_EDGE_FORWARD"), "")}
        | {"FLYWEIGHT_EDGE_DEVICE": "d"}
    )

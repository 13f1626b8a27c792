"""Deploy to devices with AWS IoT Greengrass V2: a component whose artifact is the folder, for one group of things.

A deployment states all components of its target, and devices merge those of all their groups
(https://docs.aws.amazon.com/greengrass/v2/developerguide/manage-deployments.html): give the model a group of things of its own.
"""

from __future__ import annotations

import base64
import json
import re
from difflib import get_close_matches

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws.deployment import CLI
from flyweight.toolkit.targets.commands import Command, Expanded, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import read_marker
from flyweight.toolkit.targets.vm.release import packed

REGION = "us-east-1"
LIVE = "DEPLOYMENT"  # a shell variable
# of the API: https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateDeployment.html
TARGET = Rule(
    "a target", r"arn:[a-z-]+:iot:[a-z0-9-]+:\d{12}:(thing|thinggroup)/[A-Za-z0-9:_-]+", "write the ARN of a group of things"
)
BUCKET = Rule("a bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "write the name of a bucket that the devices' role may read")
RULES = {"target": TARGET, "bucket": BUCKET}
CONFIGURATION = ("port", "model", "forward", "window", "cloud", "confidence")  # in the recipe with a capital


class Greengrass(Deployer):
    """A component of the deployment's name, with a version for each release."""

    name = "edge"

    @property
    def region(self) -> str:
        """The region of a deployment that names none."""
        return REGION

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the AWS CLI."""
        return [Tool("aws", CLI, command("aws", "sts", "get-caller-identity"), "aws configure, or aws sso login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Upload the folder, make a version of the component, and deploy it to the target.

        :raises DeployFailed: a parameter is missing or unknown, or has a value with no meaning.
        """
        given = self._given(deployment)
        path, release = packed(deployment)
        uri = f"s3://{given['bucket']}/{deployment.name}/{release}.zip"
        recipe = deployment.work / f"{deployment.name}.recipe.json"
        recipe.write_text(self.recipe(deployment, release, uri), encoding="utf-8")
        made = self._aws(deployment, "create-component-version", "--inline-recipe", f"fileb://{recipe}")
        copy = command("aws", "s3", "cp", path, uri, "--region", self._region(deployment), "--only-show-errors")
        return [copy, made, self._sent(deployment, version_of(deployment, release))]

    def recipe(self, deployment: Deployment, release: str, uri: str) -> str:
        """Write the component's recipe.

        https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html
        """
        text = (deployment.infra / self.name / "greengrass.json").read_text(encoding="utf-8")
        digest = base64.b64encode(bytes.fromhex(release)).decode()
        values = {"NAME": deployment.name, "VERSION": version_of(deployment, release), "ARTIFACT": uri}
        for word, value in {**values, "DIGEST": digest, "RELEASE": release}.items():
            text = re.sub(rf"\b{word}\b", value.replace("\\", r"\\"), text)
        return text

    def url(self, deployment: Deployment) -> Command:
        """Print nothing: the agent answers on its device alone."""
        return command("true")

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the region and the target."""
        return ("greengrass", deployment.region or REGION, deployment.parameters.get("target", ""))

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the version in the target's latest deployment."""
        query = f'components."{deployment.name}".componentVersion'
        return [self._latest(deployment), self._shown(deployment, query)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the earlier version, which Greengrass still has."""
        return [self._sent(deployment, label)]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Refuse: the log is on each device.

        :raises DeployFailed: always.
        """
        step = f"on a device: sudo tail --follow /greengrass/v2/logs/{deployment.name}.log"
        raise DeployFailed("Greengrass keeps a component's log on its device", step)

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the state of the target's latest deployment."""
        return [self._latest(deployment), self._shown(deployment, "[deploymentStatus, components]")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Deploy nothing to the target, which removes the component from its devices; versions and artifacts are kept."""
        return [
            self._aws(deployment, "create-deployment", "--target-arn", self._given(deployment)["target"], "--components", "{}")
        ]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List what `deploy` makes."""
        return [
            Resource(deployment.name, "AWS::GreengrassV2::ComponentVersion"),
            Resource(deployment.name, "AWS::GreengrassV2::Deployment"),
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters, and the platform that they are of."""
        return {"platform": "greengrass", **dict.fromkeys((*RULES, *CONFIGURATION), ""), **deployment.parameters}

    def _given(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters.

        :raises DeployFailed: one is missing or unknown, or has a value with no meaning.
        """
        known = (*RULES, *CONFIGURATION)
        for name, value in deployment.parameters.items():
            if name not in (*known, "platform"):
                near = "".join(f" ({one}?)" for one in get_close_matches(name, known, 1))
                raise DeployFailed(f"there is no parameter {name}{near}", f"choose one of {', '.join(known)}")
            if name in RULES:
                RULES[name].check(value)
        missing = [name for name in RULES if not deployment.parameters.get(name)]
        if missing:
            raise DeployFailed(
                f"Greengrass needs the parameter {missing[0]}", f"add --set {missing[0]}=...: {RULES[missing[0]].told}"
            )
        return dict(deployment.parameters)

    def _sent(self, deployment: Deployment, version: str) -> Command:
        """Return the command that deploys a version, which goes back by itself if a device can't run it."""
        given = self._given(deployment)
        merged = {name.capitalize(): given[name] for name in CONFIGURATION if given.get(name)}
        update = {"configurationUpdate": {"merge": json.dumps(merged)}} if merged else {}
        text = json.dumps({deployment.name: {"componentVersion": str(version), **update}})
        components = Expanded(text) if isinstance(version, Expanded) else text
        policies = '{"failureHandlingPolicy": "ROLLBACK"}'
        words = ["--target-arn", given["target"], "--deployment-name", deployment.name, "--components", components]
        return self._aws(deployment, "create-deployment", *words, "--deployment-policies", policies)

    def _latest(self, deployment: Deployment) -> Command:
        words = ["--target-arn", self._given(deployment)["target"], "--history-filter", "LATEST_ONLY"]
        query = ["--query", "deployments[0].deploymentId", "--output", "text"]
        found = self._aws(deployment, "list-deployments", *words, *query)
        return Command(found.words, into=LIVE)

    def _shown(self, deployment: Deployment, query: str) -> Command:
        words = ["--deployment-id", Expanded(f"${LIVE}"), "--query", query, "--output", "text"]
        return self._aws(deployment, "get-deployment", *words)

    def _aws(self, deployment: Deployment, *words: str) -> Command:
        verb, *options = words
        return command("aws", "greengrassv2", verb, "--region", self._region(deployment), *options)

    @staticmethod
    def _region(deployment: Deployment) -> str:
        return deployment.region or REGION


def version_of(deployment: Deployment, release: str) -> str:
    """Make the version of a component: that of the model if it is one of three numbers, and the release's first digits."""
    found = re.match(r"\d{1,6}\.\d{1,6}\.\d{1,6}", str(read_marker(deployment.folder).get("version", "")))
    return f"{found[0] if found else '1.0.0'}-{release[:12]}"


DEPLOYER = Greengrass()

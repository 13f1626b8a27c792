"""AWS: the SAM template of `infra/aws` by `sam`, questions by `aws`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws import template
from flyweight.toolkit.targets.aws.authorization import METHODS
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, StatefulDeployer, Tool
from flyweight.toolkit.targets.package import read_marker

SAM = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html"
CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

ALIAS = "live"  # what all callers go through, as the template has it
FUNCTION, VERSION, KEY = "FUNCTION", "VERSION", "KEY_ID"  # shell variables
NAMES = r"[A-Za-z][A-Za-z0-9-]{0,127}"  # of stacks; the function's log and role are named after it
USUAL = "eu-west-1"

# Where a stack can get no update: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
DEAD = frozenset(("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"))
STUCK = "UPDATE_ROLLBACK_FAILED"
UNDECIDED = "REVIEW_IN_PROGRESS"  # a first change set was made, and left

EXPLAINED = "docs/providers/aws.md lists the parameters, infra/aws/template.yaml explains them"


class Aws(StatefulDeployer):
    """A CloudFormation stack of the deployment's name."""

    name = "aws"
    authorizations = METHODS

    @property
    def region(self) -> str:
        """The one that the AWS CLI is set to, or else the one of the page."""
        return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _of_profile() or USUAL

    def tools(self, deployment: Deployment) -> list[Tool]:
        """SAM deploys, the AWS CLI answers questions."""
        login = command("aws", "sts", "get-caller-identity", "--region", self._region(deployment))
        sign_in = "aws configure sso && aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return [Tool("sam", f"pip install aws-sam-cli, or {SAM}"), Tool("aws", CLI, login, sign_in)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """One `sam deploy` of the template with the folder as its code; then the alias, which `roll_back` may have moved."""
        overrides = [f"{name}={value}" for name, value in self._parameters(deployment).items()]
        words = ["sam", "deploy", "--template-file", str(self._template(deployment)), "--stack-name", deployment.name]
        words += [
            "--region",
            self._region(deployment),
            "--capabilities",
            "CAPABILITY_IAM",
            "--resolve-s3",
            "--on-failure",
            "DELETE",
        ]
        words += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides", *overrides]
        version = self._output(deployment, "FunctionVersion", into=VERSION)
        return [command(*words), self._function(deployment), version, self._move(deployment, f"${VERSION}")]

    def url(self, deployment: Deployment) -> Command:
        """The stack's output."""
        return self._output(deployment, "Url")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """The version that the alias names."""
        words = ["aws", "lambda", "get-alias", "--region", self._region(deployment), "--function-name", f"${FUNCTION}"]
        words += ["--name", ALIAS, "--query", "FunctionVersion", "--output", "text"]
        return [self._function(deployment), command(*words)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """The alias names the earlier version, which is still there."""
        return [self._function(deployment), self._move(deployment, label)]

    def state(self, deployment: Deployment) -> Command:
        """The stack's state, and its parameters: those that `sam deploy` leaves out stay what they were."""
        return self._stack(deployment, "Stacks[0].[StackStatus,Parameters[].[ParameterKey,ParameterValue]]", output="json")

    def current_parameters(self, state: str) -> dict[str, str]:
        """The stack's parameters."""
        return dict(json.loads(state)[1] or []) if state else {}

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """A stack that failed as it was made or deleted, or that is at work; or parameters that exclude each other."""
        status, name = json.loads(state)[0] if state else "", deployment.name
        if status in DEAD:
            return DeployFailed(f"the stack {name} is {status}, and takes no update", deployment.verb("destroy", self.name))
        if status == STUCK:
            step = command("aws", "cloudformation", "continue-update-rollback", *self._where(deployment))
            return DeployFailed(f"the stack {name} is {status}, and takes no update", str(step))
        if status.endswith("_IN_PROGRESS") and status != UNDECIDED:
            return DeployFailed(f"the stack {name} is {status}: another update is under way", "wait, then try again")
        parameters = {**self.current_parameters(state), **self._parameters(deployment)}
        broken = template.broken_rules(template.read(_source(deployment)), parameters)
        return DeployFailed("; ".join(broken), EXPLAINED) if broken else None

    def authorization(self, deployment: Deployment) -> str:
        """As the template's parameter says."""
        return {"public": "none", "api-key": "api-key", "jwt": "bearer"}.get(self.settings(deployment).get("Access", ""), "aws")

    def key(self, deployment: Deployment) -> list[Command]:
        """The key of the usage plan, where there is one; a token is the caller's own."""
        if self.authorization(deployment) != "api-key":
            return []
        words = [
            "aws",
            "apigateway",
            "get-api-key",
            "--region",
            self._region(deployment),
            "--api-key",
            f"${KEY}",
            "--include-value",
        ]
        return [self._output(deployment, "ApiKeyId", into=KEY), command(*words, "--query", "value", "--output", "text")]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """The function's log group."""
        words = ["aws", "logs", "tail", f"/aws/lambda/{deployment.name}", "--region", self._region(deployment), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """The stack's state, and when it was changed."""
        return [self._stack(deployment, "Stacks[0].[StackName,StackStatus,LastUpdatedTime||CreationTime]")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """The stack, with what `sam` uploaded for it; buckets and a table of results stay."""
        return [command("sam", "delete", "--stack-name", deployment.name, "--region", self._region(deployment), "--no-prompts")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """The template's resources, as far as their conditions hold."""
        return template.pieces(template.read(_source(deployment)), deployment.parameters)

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """The template's parameters."""
        return template.settings(template.read(_source(deployment)), deployment.parameters)

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """What the folder was built for, and the deployment's own parameters.

        :raises DeployFailed: the template has no such parameter, or does not take this value; or the stack can't have that name.
        """
        if not re.fullmatch(NAMES, deployment.name):
            raise DeployFailed(
                f"a stack can't be called {deployment.name!r}", "begin with a letter; letters, digits and - may follow"
            )
        marker = read_marker(deployment.folder)
        wanted = {"PythonVersion": marker["runtime"], **({"Architecture": marker["arch"]} if marker["arch"] else {})}
        for name, value in wanted.items():
            if deployment.parameters.get(name, value) != value:
                step = f"leave out --set {name}, or build another folder"
                raise DeployFailed(f"{deployment.folder} was built for {name}={value}, not {deployment.parameters[name]}", step)
        parameters = {**wanted, **deployment.parameters}
        refused = template.refusals(template.read(_source(deployment)), parameters)
        if refused:
            raise DeployFailed("; ".join(refused), EXPLAINED)
        return parameters

    def _region(self, deployment: Deployment) -> str:
        return deployment.region or self.region

    def _where(self, deployment: Deployment) -> list[str]:
        return ["--region", self._region(deployment), "--stack-name", deployment.name]

    def _output(self, deployment: Deployment, name: str, into: str = "") -> Command:
        return self._stack(deployment, f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue", into)

    def _function(self, deployment: Deployment) -> Command:
        return self._output(deployment, "FunctionName", into=FUNCTION)

    def _move(self, deployment: Deployment, version: str) -> Command:
        words = ["aws", "lambda", "update-alias", "--region", self._region(deployment), "--function-name", f"${FUNCTION}"]
        return command(*words, "--name", ALIAS, "--function-version", version, "--output", "text")

    def _stack(self, deployment: Deployment, query: str, into: str = "", output: str = "text") -> Command:
        words = ["aws", "cloudformation", "describe-stacks", *self._where(deployment), "--query", query, "--output", output]
        return command(*words, into=into)

    def _template(self, deployment: Deployment) -> Path:
        """Copy the template to the work folder, with the built folder as its code."""
        code, text = deployment.folder.resolve(), _source(deployment).read_text()
        text = re.sub(r"(?m)^(\s*CodeUri: ).*$", lambda found: f"{found[1]}{code}", text)
        deployment.work.mkdir(parents=True, exist_ok=True)
        copy = deployment.work / f"{deployment.name}.template.yaml"
        copy.write_text(text)
        return copy


def _of_profile() -> str:
    """The region of the AWS CLI's profile, as far as botocore is here to read it."""
    try:
        from botocore.session import get_session
    except ModuleNotFoundError:
        return ""
    return get_session().get_config_variable("region") or ""


def _source(deployment: Deployment) -> Path:
    return deployment.infra / "aws" / "template.yaml"


DEPLOYER = Aws()

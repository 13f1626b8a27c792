"""AWS: the SAM template of `infra/aws` by `sam`, questions by `aws`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from flyweight.toolkit.building.folder import MARKER
from flyweight.toolkit.deploying.commands import Command, command
from flyweight.toolkit.targets.aws import template
from flyweight.toolkit.targets.deployment import DeployFailed, Deployment, Resource, Tool

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


class Aws:
    """A CloudFormation stack of the place's name."""

    name = "aws"

    @property
    def region(self) -> str:
        """The one that the AWS CLI is set to, or else the one of the page."""
        return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _of_profile() or USUAL

    def tools(self, place: Deployment) -> list[Tool]:
        """SAM deploys, the AWS CLI tells who one is."""
        who = command("aws", "sts", "get-caller-identity", "--region", self._region(place))
        sign_in = "aws configure sso && aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return [Tool("sam", f"pip install aws-sam-cli, or {SAM}"), Tool("aws", CLI, who, sign_in)]

    def deploy(self, place: Deployment) -> list[Command]:
        """One `sam deploy` of the template, whose code is the place's folder; then the alias, which `back` may have moved."""
        overrides = [f"{name}={value}" for name, value in self._parameters(place).items()]
        words = ["sam", "deploy", "--template-file", str(self._template(place)), "--stack-name", place.name]
        words += ["--region", self._region(place), "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--on-failure", "DELETE"]
        words += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides", *overrides]
        version = self._output(place, "FunctionVersion", into=VERSION)
        return [command(*words), self._function(place), version, self._move(place, f"${VERSION}")]

    def url(self, place: Deployment) -> Command:
        """The stack's output."""
        return self._output(place, "Url")

    def live(self, place: Deployment) -> list[Command]:
        """The version that the alias names."""
        words = ["aws", "lambda", "get-alias", "--region", self._region(place), "--function-name", f"${FUNCTION}"]
        words += ["--name", ALIAS, "--query", "FunctionVersion", "--output", "text"]
        return [self._function(place), command(*words)]

    def back(self, place: Deployment, label: str) -> list[Command]:
        """The alias names the earlier version, which is still there."""
        return [self._function(place), self._move(place, label)]

    def standing(self, place: Deployment) -> Command:
        """The stack's state, and its parameters: those that `sam deploy` is not given stay what they were."""
        return self._stack(place, "Stacks[0].[StackStatus,Parameters[].[ParameterKey,ParameterValue]]", output="json")

    def in_force(self, said: str) -> dict[str, str]:
        """The stack's parameters."""
        return dict(json.loads(said)[1] or []) if said else {}

    def obstacle(self, place: Deployment, said: str) -> DeployFailed | None:
        """A stack that failed as it was made or deleted, or that is at work; or parameters that exclude each other."""
        state = json.loads(said)[0] if said else ""
        if state in DEAD:
            return DeployFailed(f"the stack {place.name} is {state}, and takes no update", place.verb("destroy", self.name))
        if state == STUCK:
            step = command("aws", "cloudformation", "continue-update-rollback", *self._where(place))
            return DeployFailed(f"the stack {place.name} is {state}, and takes no update", str(step))
        if state.endswith("_IN_PROGRESS") and state != UNDECIDED:
            return DeployFailed(f"the stack {place.name} is {state}: somebody is at it", "wait, then try again")
        broken = template.broken_rules(template.read(_source(place)), {**self.in_force(said), **self._parameters(place)})
        return DeployFailed("; ".join(broken), EXPLAINED) if broken else None

    def authorization(self, place: Deployment) -> str:
        """As the template's parameter says."""
        return {"public": "none", "api-key": "api-key", "jwt": "bearer"}.get(self.settings(place).get("Access", ""), "aws")

    def key(self, place: Deployment) -> list[Command]:
        """The key of the usage plan, where there is one; a token is the caller's own."""
        if self.authorization(place) != "api-key":
            return []
        words = ["aws", "apigateway", "get-api-key", "--region", self._region(place), "--api-key", f"${KEY}", "--include-value"]
        return [self._output(place, "ApiKeyId", into=KEY), command(*words, "--query", "value", "--output", "text")]

    def logs(self, place: Deployment, since: str, follow: bool) -> list[Command]:
        """The function's log group."""
        words = ["aws", "logs", "tail", f"/aws/lambda/{place.name}", "--region", self._region(place), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]

    def status(self, place: Deployment) -> list[Command]:
        """The stack's state, and when it was changed."""
        return [self._stack(place, "Stacks[0].[StackName,StackStatus,LastUpdatedTime||CreationTime]")]

    def destroy(self, place: Deployment) -> list[Command]:
        """The stack, with what `sam` uploaded for it; buckets and a table of results stay."""
        return [command("sam", "delete", "--stack-name", place.name, "--region", self._region(place), "--no-prompts")]

    def creates(self, place: Deployment) -> list[Resource]:
        """The template's resources, as far as their conditions hold."""
        return template.pieces(template.read(_source(place)), place.parameters)

    def settings(self, place: Deployment) -> dict[str, str]:
        """The template's parameters."""
        return template.settings(template.read(_source(place)), place.parameters)

    def _parameters(self, place: Deployment) -> dict[str, str]:
        """What the folder was built for, and what is given.

        :raises DeployFailed: the template has no such parameter, or does not take this value; or the stack can't have that name.
        """
        if not re.fullmatch(NAMES, place.name):
            raise DeployFailed(f"a stack can't be called {place.name!r}", "begin with a letter; letters, digits and - may follow")
        marker = json.loads((place.folder / MARKER).read_text())
        wanted = {"PythonVersion": marker["runtime"], **({"Architecture": marker["arch"]} if marker["arch"] else {})}
        for name, value in wanted.items():
            if place.parameters.get(name, value) != value:
                step = f"leave out --set {name}, or build another folder"
                raise DeployFailed(f"{place.folder} was built for {name}={value}, not {place.parameters[name]}", step)
        parameters = {**wanted, **place.parameters}
        refused = template.refusals(template.read(_source(place)), parameters)
        if refused:
            raise DeployFailed("; ".join(refused), EXPLAINED)
        return parameters

    def _region(self, place: Deployment) -> str:
        return place.region or self.region

    def _where(self, place: Deployment) -> list[str]:
        return ["--region", self._region(place), "--stack-name", place.name]

    def _output(self, place: Deployment, name: str, into: str = "") -> Command:
        return self._stack(place, f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue", into)

    def _function(self, place: Deployment) -> Command:
        return self._output(place, "FunctionName", into=FUNCTION)

    def _move(self, place: Deployment, version: str) -> Command:
        words = ["aws", "lambda", "update-alias", "--region", self._region(place), "--function-name", f"${FUNCTION}"]
        return command(*words, "--name", ALIAS, "--function-version", version, "--output", "text")

    def _stack(self, place: Deployment, query: str, into: str = "", output: str = "text") -> Command:
        words = ["aws", "cloudformation", "describe-stacks", *self._where(place), "--query", query, "--output", output]
        return command(*words, into=into)

    def _template(self, place: Deployment) -> Path:
        """A copy of the template in the place's work folder; its code is the place's folder, wherever the original lies."""
        text = re.sub(r"(?m)^(\s*CodeUri: ).*$", lambda found: f"{found[1]}{place.folder.resolve()}", _source(place).read_text())
        place.work.mkdir(parents=True, exist_ok=True)
        copy = place.work / f"{place.name}.template.yaml"
        copy.write_text(text)
        return copy


def _of_profile() -> str:
    """The region of the AWS CLI's profile, as far as botocore is here to read it."""
    try:
        from botocore.session import get_session
    except ModuleNotFoundError:
        return ""
    return get_session().get_config_variable("region") or ""


def _source(place: Deployment) -> Path:
    return place.infra / "aws" / "template.yaml"


target = Aws()

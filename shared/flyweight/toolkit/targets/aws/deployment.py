"""Deploy the SAM template of `infra/aws` with `sam`, and query the deployment with `aws`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws import template
from flyweight.toolkit.targets.aws.authorization import METHODS
from flyweight.toolkit.targets.commands import Command, Expanded, command, variable
from flyweight.toolkit.targets.deployment import Deployment, Resource, StatefulDeployer, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import read_marker

SAM = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html"
CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

ALIAS = "live"  # the alias that all callers use, defined in the template
FUNCTION, VERSION, LIVE, KEY = "FUNCTION", "VERSION", "LIVE", "KEY_ID"  # shell variables
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-using-console-create-stack-parameters.html
NAMES = Rule("a stack", r"[A-Za-z][A-Za-z0-9-]{0,127}", "begin with a letter, followed by letters, digits and -")
# JMESPath: the greatest version before the live one; `$LATEST` is no number, and compares with none
EARLIER = "to_number(max_by(Versions[?to_number(Version) < to_number('$LIVE')], &to_number(Version)).Version)"
USUAL = "eu-west-1"
# what says where the AWS CLI's profile is and which one it is
PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HOME")

# States in which a stack refuses updates: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
DEAD = frozenset(("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"))
STUCK = "UPDATE_ROLLBACK_FAILED"
UNDECIDED = "REVIEW_IN_PROGRESS"  # a first change set was created but not executed


class Aws(StatefulDeployer):
    """A CloudFormation stack of the deployment's name."""

    name = "aws"
    authorizations = METHODS
    name_rule = NAMES

    @property
    def explained(self) -> str:
        """Say where the template's parameters are explained."""
        return f"docs/providers/{self.name}.md lists the parameters, infra/{self.name}/template.yaml explains them"

    @property
    def region(self) -> str:
        """Return the region of the AWS CLI's settings, or the default of docs/providers/aws.md."""
        return (
            os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION")
            or _of_profile(*map(os.environ.get, PROFILE))
            or USUAL
        )

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return SAM, which deploys, and the AWS CLI, which queries."""
        login = command("aws", "sts", "get-caller-identity", "--region", self._region(deployment))
        sign_in = "aws configure sso && aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return [Tool("sam", f"pip install aws-sam-cli, or {SAM}"), Tool("aws", CLI, login, sign_in)]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Run `sam deploy` on the template with the folder as its code, then set the alias, which `roll_back` may have moved."""
        overrides = [_override(name, value) for name, value in self._parameters(deployment).items()]
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
        words += ["--tags", *[f"{name}={value}" for name, value in deployment.tags.items()]] if deployment.tags else []
        version = self._output(deployment, "FunctionVersion", into=VERSION)
        return [command(*words), self._function(deployment), version, self._move(deployment, variable(VERSION))]

    def choose_client(self, client: str) -> str:
        """Choose by the template's parameter."""
        return f"Client={client}"

    def url(self, deployment: Deployment) -> Command | None:
        """Read the stack's output."""
        return self._output(deployment, "Url")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the version to which the alias points."""
        words = ["aws", "lambda", "get-alias", "--region", self._region(deployment), "--function-name", variable(FUNCTION)]
        words += ["--name", ALIAS, "--query", "FunctionVersion", "--output", "text"]
        return [self._function(deployment), command(*words)]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the region; stacks have no group."""
        return (self._region(deployment),)

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the number of the account that the CLI is logged in to."""
        words = ["aws", "sts", "get-caller-identity", "--region", self._region(deployment)]
        return [command(*words, "--query", "Account", "--output", "text")]

    def made_label(self, variables: Mapping[str, str]) -> str:
        """Return the version that the stack says it made."""
        return variables.get(VERSION, "").replace("None", "")

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the greatest version before the one to which the alias points."""
        function, live = self.live_label(deployment)
        words = ["aws", "lambda", "list-versions-by-function", "--region", self._region(deployment), "--function-name"]
        asked = command(*words, variable(FUNCTION), "--query", Expanded(EARLIER), "--output", "json")
        return [function, replace(live, into=LIVE), asked]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Point the alias to the earlier version, which still exists."""
        return [self._function(deployment), self._move(deployment, label)]

    def state(self, deployment: Deployment) -> Command:
        """Read the stack's state and parameters; parameters that `sam deploy` omits keep their values."""
        return self._stack(deployment, "Stacks[0].[StackStatus,Parameters[].[ParameterKey,ParameterValue]]", output="json")

    def current_parameters(self, state: str) -> dict[str, str]:
        """Parse the stack's parameters."""
        return dict(json.loads(state)[1] or []) if state else {}

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Refuse a stack whose creation or deletion failed, or that is being updated; or parameters that exclude each other."""
        status, name = json.loads(state)[0] if state else "", deployment.name
        if status in DEAD:
            return DeployFailed(f"the stack {name} is {status}, and can't be updated", deployment.verb("destroy", self.name))
        if status == STUCK:
            step = command("aws", "cloudformation", "continue-update-rollback", *self._where(deployment))
            return DeployFailed(f"the stack {name} is {status}, and can't be updated", str(step))
        if status.endswith("_IN_PROGRESS") and status != UNDECIDED:
            return DeployFailed(f"the stack {name} is {status}: another update is under way", "wait, then try again")
        parameters = {**self.current_parameters(state), **self._parameters(deployment)}
        broken = template.broken_rules(template.read(self._source(deployment)), parameters)
        return DeployFailed("; ".join(broken), self.explained) if broken else None

    def authorization(self, deployment: Deployment) -> str:
        """Choose by the template's parameter."""
        return {"public": "none", "api-key": "api-key", "jwt": "bearer"}.get(self.settings(deployment).get("Access", ""), "aws")

    def key(self, deployment: Deployment) -> list[Command]:
        """Read the key of the usage plan, if the endpoint has one; a token must come from the caller."""
        if self.authorization(deployment) != "api-key":
            return []
        words = [
            "aws",
            "apigateway",
            "get-api-key",
            "--region",
            self._region(deployment),
            "--api-key",
            variable(KEY),
            "--include-value",
        ]
        return [self._output(deployment, "ApiKeyId", into=KEY), command(*words, "--query", "value", "--output", "text")]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the function's log group."""
        words = ["aws", "logs", "tail", f"/aws/lambda/{deployment.name}", "--region", self._region(deployment), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the stack's state, and the time of its last change."""
        return [self._stack(deployment, "Stacks[0].[StackName,StackStatus,LastUpdatedTime||CreationTime]")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the stack and the files that `sam` uploaded for it; buckets and a table of results are kept."""
        return [command("sam", "delete", "--stack-name", deployment.name, "--region", self._region(deployment), "--no-prompts")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the template's resources whose conditions hold."""
        return template.pieces(template.read(self._source(deployment)), deployment.parameters)

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Read the template's parameters."""
        return template.settings(template.read(self._source(deployment)), deployment.parameters)

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters that the folder determines, and the deployment's own.

        :raises DeployFailed: a parameter or its value is not in the template.
        """
        marker = read_marker(deployment.folder)
        built = {"PythonVersion": marker["runtime"], **({"Architecture": marker["arch"]} if marker["arch"] else {})}
        for name, value in built.items():
            if deployment.parameters.get(name, value) != value:
                step = f"omit --set {name}, or build another folder"
                raise DeployFailed(f"{deployment.folder} was built for {name}={value}, not {deployment.parameters[name]}", step)
        return self._accepted(deployment, {**built, **deployment.parameters})

    def _accepted(self, deployment: Deployment, parameters: dict[str, str]) -> dict[str, str]:
        """Return parameters that the template takes.

        :raises DeployFailed: one of them or its value is not in the template.
        """
        refused = template.refusals(template.read(self._source(deployment)), parameters)
        if refused:
            raise DeployFailed("; ".join(refused), self.explained)
        return parameters

    def _source(self, deployment: Deployment) -> Path:
        return deployment.infra / self.name / "template.yaml"

    def _region(self, deployment: Deployment) -> str:
        return deployment.region or self.region

    def _where(self, deployment: Deployment) -> list[str]:
        return ["--region", self._region(deployment), "--stack-name", deployment.name]

    def _output(self, deployment: Deployment, name: str, into: str = "") -> Command:
        return self._stack(deployment, f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue", into)

    def _function(self, deployment: Deployment) -> Command:
        return self._output(deployment, "FunctionName", into=FUNCTION)

    def _move(self, deployment: Deployment, version: str) -> Command:
        words = ["aws", "lambda", "update-alias", "--region", self._region(deployment), "--function-name", variable(FUNCTION)]
        return command(*words, "--name", ALIAS, "--function-version", version, "--output", "text")

    def _stack(self, deployment: Deployment, query: str, into: str = "", output: str = "text") -> Command:
        words = ["aws", "cloudformation", "describe-stacks", *self._where(deployment), "--query", query, "--output", output]
        return command(*words, into=into)

    def _template(self, deployment: Deployment) -> Path:
        """Copy the template to the work folder, with the built folder as its code."""
        code, text = deployment.folder.resolve(), self._source(deployment).read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(\s*CodeUri: ).*$", lambda found: f"{found[1]}{json.dumps(str(code))}", text)
        deployment.work.mkdir(parents=True, exist_ok=True)
        copy = deployment.work / f"{deployment.name}.{self._region(deployment)}.template.yaml"
        copy.write_text(text, encoding="utf-8")
        return copy


def _override(name: str, value: str) -> str:
    """Write a parameter as SAM reads it: from a value without quotes it would take further parameters.

    :raises DeployFailed: SAM can't read the value back.
    """
    if re.fullmatch(r"[\w@%+=:,./()*?-]+", value):
        return f"{name}={value}"
    if "\\" in value or not value.isprintable():
        raise DeployFailed(
            f"SAM can't be given {name}={value!r}", "leave out backslashes, line breaks and other control characters"
        )
    return f'{name}="{value}"' if '"' not in value else f'{name}="{_escaped(value)}"'


def _escaped(value: str) -> str:
    return value.replace('"', '\\"')


@cache
def _of_profile(*_: str | None) -> str:
    """Read the region of the AWS CLI's profile, if botocore is installed; which takes 30 ms, so once for each of `PROFILE`."""
    try:
        from botocore.session import get_session
    except ModuleNotFoundError:
        return ""
    return get_session().get_config_variable("region") or ""


DEPLOYER = Aws()

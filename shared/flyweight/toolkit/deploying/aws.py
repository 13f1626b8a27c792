"""AWS: the SAM template of `infra/aws` by `sam`, questions by `aws`."""

from __future__ import annotations

import re
from pathlib import Path

from flyweight.toolkit import resources
from flyweight.toolkit.deploying import aws_template
from flyweight.toolkit.deploying.commands import Command, command
from flyweight.toolkit.deploying.target import Piece, Place, Tool

SAM = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html"
CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

ALIAS = "live"  # what all callers go through, as the template has it
FUNCTION, KEY = "FUNCTION", "KEY_ID"  # shell variables


class Aws:
    """A CloudFormation stack of the place's name."""

    name = "aws"
    region = "eu-west-1"

    def tools(self, place: Place) -> list[Tool]:
        """SAM deploys, the AWS CLI tells who one is."""
        who = command("aws", "sts", "get-caller-identity")
        sign_in = "aws configure sso && aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return [Tool("sam", f"pip install aws-sam-cli, or {SAM}"), Tool("aws", CLI, who, sign_in)]

    def deploy(self, place: Place) -> list[Command]:
        """One `sam deploy` of the template, whose code is the place's folder."""
        words = ["sam", "deploy", "--template-file", str(self._template(place)), "--stack-name", place.name]
        words += ["--region", self._region(place), "--capabilities", "CAPABILITY_IAM", "--resolve-s3"]
        words += ["--no-confirm-changeset", "--no-fail-on-empty-changeset"]
        if place.parameters:
            words += ["--parameter-overrides", *[f"{name}={value}" for name, value in place.parameters.items()]]
        return [command(*words)]

    def url(self, place: Place) -> Command:
        """The stack's output."""
        return self._output(place, "Url")

    def live(self, place: Place) -> list[Command]:
        """The version that the alias names."""
        words = [
            "aws",
            "lambda",
            "get-alias",
            "--region",
            self._region(place),
            "--function-name",
            f"${FUNCTION}",
            "--name",
            ALIAS,
        ]
        return [self._function(place), command(*words, "--query", "FunctionVersion", "--output", "text")]

    def back(self, place: Place, label: str) -> list[Command]:
        """The alias names the earlier version, which is still there."""
        words = ["aws", "lambda", "update-alias", "--region", self._region(place), "--function-name", f"${FUNCTION}"]
        return [self._function(place), command(*words, "--name", ALIAS, "--function-version", label, "--output", "text")]

    def authorization(self, place: Place) -> str:
        """As the template's parameter says."""
        return {"public": "none", "api-key": "api-key", "jwt": "bearer"}.get(self.settings(place).get("Access", ""), "aws")

    def key(self, place: Place) -> list[Command]:
        """The key of the usage plan, where there is one; a token is the caller's own."""
        if self.authorization(place) != "api-key":
            return []
        words = ["aws", "apigateway", "get-api-key", "--region", self._region(place), "--api-key", f"${KEY}", "--include-value"]
        return [self._output(place, "ApiKeyId", into=KEY), command(*words, "--query", "value", "--output", "text")]

    def logs(self, place: Place, since: str, follow: bool) -> list[Command]:
        """The function's log group."""
        words = ["aws", "logs", "tail", f"/aws/lambda/{place.name}", "--region", self._region(place), "--since", since]
        return [command(*words, *(["--follow"] if follow else []))]

    def status(self, place: Place) -> list[Command]:
        """The stack's state, and when it was changed."""
        return [self._stack(place, "Stacks[0].[StackName,StackStatus,LastUpdatedTime,CreationTime]")]

    def destroy(self, place: Place) -> list[Command]:
        """The stack, with what `sam` uploaded for it."""
        return [command("sam", "delete", "--stack-name", place.name, "--region", self._region(place), "--no-prompts")]

    def creates(self, place: Place) -> list[Piece]:
        """The template's resources, as far as their conditions hold."""
        return aws_template.pieces(aws_template.read(_source()), place.parameters)

    def settings(self, place: Place) -> dict[str, str]:
        """The template's parameters."""
        return aws_template.settings(aws_template.read(_source()), place.parameters)

    def _region(self, place: Place) -> str:
        return place.region or self.region

    def _output(self, place: Place, name: str, into: str = "") -> Command:
        return self._stack(place, f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue", into)

    def _function(self, place: Place) -> Command:
        return self._output(place, "FunctionName", into=FUNCTION)

    def _stack(self, place: Place, query: str, into: str = "") -> Command:
        words = ["aws", "cloudformation", "describe-stacks", "--region", self._region(place), "--stack-name", place.name]
        return command(*words, "--query", query, "--output", "text", into=into)

    def _template(self, place: Place) -> Path:
        """A copy of the template in the place's work folder; its code is the place's folder, wherever the original lies."""
        text = re.sub(r"(?m)^(\s*CodeUri: ).*$", lambda found: f"{found[1]}{place.folder.resolve()}", _source().read_text())
        place.work.mkdir(parents=True, exist_ok=True)
        copy = place.work / f"{place.name}.template.yaml"
        copy.write_text(text)
        return copy


def _source() -> Path:
    return resources.folder("infra") / "aws" / "template.yaml"


target = Aws()

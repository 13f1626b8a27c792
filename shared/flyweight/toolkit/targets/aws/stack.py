"""Deploy a CloudFormation template of `infra/` with the AWS CLI; a rollback deploys it with an earlier value of one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.aws import template
from flyweight.toolkit.targets.aws.deployment import CLI, Aws
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool


class Stack(Aws):
    """A CloudFormation stack of the deployment's name.

    `file`: of the template, below `infra/NAME`; `platform`: the word for it among the settings, and its name; `label`: the
    parameter that tells one release from another, which `deploy` fills in.
    """

    file: str
    platform: tuple[str, str]
    label: str

    @property
    def explained(self) -> str:
        """Say where the template's parameters are explained."""
        return f"infra/{self.name}/{self.file} explains the parameters"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the AWS CLI."""
        return [replace(tool, install=CLI) for tool in super().tools(deployment) if tool.program == "aws"]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the platform and the region."""
        return (self.platform[1], *super().place(deployment))

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the value of the parameter that tells one release from another."""
        return [self._value(deployment, self.label)]

    def made_label(self, variables: Mapping[str, str]) -> str:
        """Return no label: the stack is asked for it."""
        return ""

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Return no commands: a stack knows its parameters as they are."""
        return []

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Deploy the stack with the earlier release; its other parameters stay as they are."""
        return [self._with(deployment, type(label)(f"{self.label}={label}"))]

    def authorization(self, deployment: Deployment) -> str:
        """Return none: who may call is decided by the network."""
        return "none"

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """Refuse what Aws refuses, and a first deployment without a parameter that has no default."""
        given = {self.label, *self.current_parameters(state), *deployment.parameters}
        described = template.read(self._source(deployment))["Parameters"]
        missing = [name for name, one in described.items() if "Default" not in one and name not in given]
        if missing:
            words = " ".join(f"--set {name}=..." for name in missing)
            return DeployFailed(f"the stack {deployment.name} is not there yet, and needs {', '.join(missing)}", f"add {words}")
        return super().obstacle(deployment, state)

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the stack."""
        words = ["aws", "cloudformation"]
        return [
            command(*words, "delete-stack", *self._where(deployment)),
            command(*words, "wait", "stack-delete-complete", *self._where(deployment)),
        ]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the template's parameters, and the platform that they are of."""
        return dict([self.platform]) | super().settings(deployment)

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """Return the deployment's own parameters.

        :raises DeployFailed: a parameter or its value is not in the template.
        """
        return self._accepted(deployment, dict(deployment.parameters))

    def _source(self, deployment: Deployment) -> Path:
        return deployment.infra / self.name / self.file

    def _value(self, deployment: Deployment, parameter: str, into: str = "") -> Command:
        return self._stack(deployment, f"Stacks[0].Parameters[?ParameterKey=='{parameter}'].ParameterValue", into)

    def _with(self, deployment: Deployment, *overrides: str) -> Command:
        """Return the command that deploys the stack; parameters that are not named keep their values."""
        words = ["aws", "cloudformation", "deploy", *self._where(deployment), "--template-file", str(self._source(deployment))]
        words += ["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]
        words += ["--tags", *[f"{name}={value}" for name, value in deployment.tags.items()]] if deployment.tags else []
        return command(*words, "--parameter-overrides", *overrides)

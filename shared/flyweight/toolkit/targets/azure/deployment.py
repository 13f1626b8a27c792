"""Azure: the ARM template of `infra/azure` by `az`, the code by `func`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.azure import parameters as arm_parameters
from flyweight.toolkit.targets.azure import template
from flyweight.toolkit.targets.azure.authorization import METHODS
from flyweight.toolkit.targets.azure.host import CUSTOM, SCRIPT
from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment, Resource, StatefulDeployer, Tool
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import read_marker

APP = "APP"  # the shell variable that has the function app's name, which the template may make up
PYTHON = "pythonVersion"
MADE_UP = r"flyweight-[a-z0-9]{13}"  # the name that the template makes up where `name` is left out
TOOLS = "https://learn.microsoft.com/azure/azure-functions/functions-run-local"
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
NAMES = Rule(
    "a deployment", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-]|[A-Za-z0-9]",
    "begin with a letter or digit, followed by letters, digits, _, . and -, at most 64, the last of which is no .",
)  # fmt: skip
GROUPS = Rule(
    "a resource group", r"[A-Za-z0-9_(][A-Za-z0-9_.()-]{0,88}[A-Za-z0-9_()-]|[A-Za-z0-9_]",
    "begin with a letter, digit or _, followed by letters, digits, _, ., -, ( and ), at most 90, the last of which is no .",
)  # fmt: skip


class Azure(StatefulDeployer):
    """A resource group, by default of the deployment's name, an ARM deployment of that name in it, and the app that it makes."""

    name = "azure"
    authorizations = METHODS
    name_rule = NAMES
    group_rule = GROUPS
    region = "westeurope"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """The Azure CLI makes what the code needs, Core Tools send the code."""
        login = command("az", "account", "get-access-token", "--output", "none")
        return [
            Tool("az", "https://learn.microsoft.com/cli/azure/install-azure-cli", login, "az login"),
            Tool("func", f"npm install -g azure-functions-core-tools@4, or {TOOLS}"),
        ]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Resource group, unless one is named that is there, template, then the folder as it is."""
        parameters = [f"{name}={value}" for name, value in self._parameters(deployment).items()]
        return [*self._in_group(deployment, *parameters), self._app(deployment), self._publish(deployment)]

    def choose_client(self, client: str) -> str:
        """Choose by the template's parameter."""
        return f"client={client}"

    def url(self, deployment: Deployment) -> Command | None:
        """The template's output."""
        return self._output(deployment, "url")

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """The resource group, in which names are unique; Azure reads capital letters in it as small ones."""
        return (self._group(deployment).lower(),)

    def account(self, deployment: Deployment) -> list[Command]:
        """The subscription that the CLI works for."""
        return [command("az", "account", "show", "--query", "id", "--output", "tsv")]

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Flex Consumption has no slots and keeps one package: the folder is what one goes back to."""
        return []

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """The earlier folder, sent again."""
        return [self._app(deployment), self._publish(deployment)]

    def state(self, deployment: Deployment) -> Command:
        """The parameters of the last deployment."""
        words = ["az", "deployment", "group", "show", *self._where(deployment), "--name", deployment.name]
        return command(*words, "--query", "properties.parameters", "--output", "json")

    def current_parameters(self, state: str) -> dict[str, str]:
        """Those parameters, as `--set` would give them."""
        return {name: _text(one.get("value")) for name, one in (json.loads(state or "null") or {}).items()}

    def obstacle(self, deployment: Deployment, state: str) -> DeployFailed | None:
        """A parameter that was set last time and is left out now: the template would set its default again."""
        usual = {name: _text(one.get("defaultValue", "")) for name, one in self._template(deployment)["parameters"].items()}
        given = {*deployment.parameters, PYTHON, "location", *(["tags"] if deployment.tags else [])}
        lost = [
            f"{name}={value}"
            for name, value in self.current_parameters(state).items()
            if name not in given and name in usual and value != usual[name]
            if name != "name" or not re.fullmatch(MADE_UP, value)
        ]
        if not lost:
            return None
        reset = f"{', '.join(lost)} would have {'its' if len(lost) == 1 else 'their'} default again"
        return DeployFailed(f"{reset}, other than in the deployment before", f"add {_set(lost)}, or another value")

    def authorization(self, deployment: Deployment) -> str:
        """The function key, as the handler's own file has it."""
        return "azure"

    def key(self, deployment: Deployment) -> list[Command]:
        """The app's function key."""
        words = ["az", "functionapp", "keys", "list", *self._where(deployment), "--name", variable(APP)]
        return [self._app(deployment), command(*words, "--query", "functionKeys.default", "--output", "tsv")]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """What Application Insights has; to follow, its Live Metrics in a browser: Flex Consumption streams no log."""
        if follow:
            return [self._app(deployment), command("func", "azure", "functionapp", "logstream", variable(APP), "--browser")]
        extension = command("az", "extension", "add", "--name", "application-insights", "--only-show-errors")  # nothing if there
        asked = "traces | order by timestamp asc | project timestamp, message"
        words = [
            "az",
            "monitor",
            "app-insights",
            "query",
            *self._where(deployment),
            "--apps",
            variable(APP),
            "--analytics-query",
            asked,
        ]
        options = ["--offset", since, "--query", "tables[0].rows", "--output", "tsv"]
        return [self._app(deployment), extension, command(*words, *options)]

    def status(self, deployment: Deployment) -> list[Command]:
        """The app's state."""
        words = ["az", "functionapp", "show", *self._where(deployment), "--name", variable(APP)]
        options = ["--query", "[name,properties.state,properties.defaultHostName]", "--output", "tsv"]
        return [self._app(deployment), command(*words, *options)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """The resource group, with all that is in it, if it is the deployment's own.

        :raises DeployFailed: it is another, which may hold other things.
        """
        group = self._group(deployment)
        if group != deployment.name:
            message = f"the resource group {group} is not named like {deployment.name}, and may hold other things"
            raise DeployFailed(message, f"if it holds nothing else: az group delete --name {group}")
        return [command("az", "group", "delete", "--name", group, "--yes")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """The template's resources, as far as their conditions hold."""
        group = Resource(self._group(deployment), "Microsoft.Resources/resourceGroups")
        return [group, *template.pieces(self._template(deployment), self.settings(deployment))]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """The template's parameters."""
        described = self._template(deployment)["parameters"]
        return {**{name: _text(one.get("defaultValue", "")) for name, one in described.items()}, **deployment.parameters}

    def _parameters(self, deployment: Deployment) -> dict[str, str]:
        """The deployment's own parameters, and the Python that the folder was built for.

        :raises DeployFailed: the template has no such parameter, or does not take this value, or the folder can't run so.
        """
        built = str(read_marker(deployment.folder)["runtime"])
        if deployment.parameters.get(PYTHON, built) != built:
            message = f"{deployment.folder} was built for Python {built}, not {deployment.parameters[PYTHON]}"
            raise DeployFailed(message, f"leave out --set {PYTHON}, or build another folder")
        if deployment.parameters.get("client") == "own" and not (deployment.folder / CUSTOM[SCRIPT]).is_file():
            message = f"{deployment.folder} has no {CUSTOM[SCRIPT]}, which client=own starts"
            raise DeployFailed(message, "build the folder again: flyweight build azure --model FILE")
        tags = {"tags": json.dumps(dict(deployment.tags))} if deployment.tags else {}
        parameters = self._accepted(deployment, {PYTHON: built, **tags, **deployment.parameters})
        if clashes := arm_parameters.clashes(parameters):
            raise DeployFailed("; ".join(clashes), "set client=platform, or leave out the trigger: docs/azure-custom-handler.md")
        return parameters

    def _accepted(self, deployment: Deployment, parameters: dict[str, str]) -> dict[str, str]:
        """Return parameters that the template takes.

        :raises DeployFailed: one of them or its value is not in the template.
        """
        described = self._template(deployment)["parameters"]
        refused = arm_parameters.refusals(described, parameters) or arm_parameters.lacking(parameters)
        if refused:
            explained = " ".join(arm_parameters.explanations(described, parameters))
            raise DeployFailed("; ".join(refused), explained or f"{self._source(deployment)} describes its parameters")
        return parameters

    def _in_group(self, deployment: Deployment, *parameters: str) -> list[Command]:
        """Return the commands that make the group, unless one is named that is there, and what the template describes."""
        group = ["az", "group", "create", "--name", self._group(deployment), "--location", deployment.region or self.region]
        new = [] if deployment.group and not deployment.region else [command(*group, "--output", "none")]
        words = ["az", "deployment", "group", "create", *self._where(deployment), "--name", deployment.name]
        words += ["--template-file", str(self._source(deployment)), "--parameters", *parameters]
        return [*new, command(*words, "--output", "none")]

    def _group(self, deployment: Deployment) -> str:
        return deployment.group or deployment.name

    def _where(self, deployment: Deployment) -> list[str]:
        return ["--resource-group", self._group(deployment)]

    def _output(self, deployment: Deployment, name: str, into: str = "") -> Command:
        words = ["az", "deployment", "group", "show", *self._where(deployment), "--name", deployment.name]
        return command(*words, "--query", f"properties.outputs.{name}.value", "--output", "tsv", into=into)

    def _app(self, deployment: Deployment) -> Command:
        return self._output(deployment, "functionApp", into=APP)

    def _publish(self, deployment: Deployment) -> Command:
        return command("func", "azure", "functionapp", "publish", variable(APP), "--python", "--no-build", cwd=deployment.folder)

    def _source(self, deployment: Deployment) -> Path:
        return deployment.infra / self.name / "main.json"

    def _template(self, deployment: Deployment) -> dict[str, Any]:
        template: dict[str, Any] = json.loads(self._source(deployment).read_text(encoding="utf-8"))
        return template


def _text(value: Any) -> str:
    """A value as `--set` gives it."""
    return json.dumps(value) if isinstance(value, (bool, dict)) else str(value)


def _set(given: list[str]) -> str:
    return " ".join(f"--set {one}" for one in given)


DEPLOYER = Azure()

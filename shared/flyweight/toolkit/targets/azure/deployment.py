"""Azure: the ARM template of `infra/azure` by `az`, the code by `func`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flyweight.toolkit.building.folder import MARKER
from flyweight.toolkit.deploying.commands import Command, command
from flyweight.toolkit.targets.azure import parameters as arm_parameters
from flyweight.toolkit.targets.azure import template
from flyweight.toolkit.targets.deployment import DeployFailed, Deployment, Resource, Tool

APP = "APP"  # the shell variable that has the function app's name, which the template may make up
PYTHON = "pythonVersion"
MADE_UP = r"flyweight-[a-z0-9]{13}"  # the name that the template makes up where none is given
TOOLS = "https://learn.microsoft.com/azure/azure-functions/functions-run-local"


class Azure:
    """A deployment of the place's name in a resource group, by default one of the same name, with the app that it makes."""

    name = "azure"
    region = "westeurope"

    def tools(self, place: Deployment) -> list[Tool]:
        """The Azure CLI makes what the code needs, Core Tools send the code."""
        who = command("az", "account", "get-access-token", "--output", "none")
        return [
            Tool("az", "https://learn.microsoft.com/cli/azure/install-azure-cli", who, "az login"),
            Tool("func", f"npm install -g azure-functions-core-tools@4, or {TOOLS}"),
        ]

    def deploy(self, place: Deployment) -> list[Command]:
        """Resource group, unless one is named that is there, template, then the folder as it is."""
        words = ["az", "deployment", "group", "create", *self._where(place), "--name", place.name]
        words += ["--template-file", str(_source(place))]
        words += ["--parameters", *[f"{name}={value}" for name, value in self._parameters(place).items()]]
        group = ["az", "group", "create", "--name", self._group(place), "--location", place.region or self.region]
        new = [] if place.group and not place.region else [command(*group, "--output", "none")]
        return [*new, command(*words, "--output", "none"), self._app(place), self._publish(place)]

    def url(self, place: Deployment) -> Command:
        """The template's output."""
        return self._output(place, "url")

    def live(self, place: Deployment) -> list[Command]:
        """Flex Consumption has no slots and keeps one package: the folder is what one goes back to."""
        return []

    def back(self, place: Deployment, label: str) -> list[Command]:
        """The earlier folder, sent again."""
        return [self._app(place), self._publish(place)]

    def standing(self, place: Deployment) -> Command:
        """The parameters of the last deployment."""
        words = ["az", "deployment", "group", "show", *self._where(place), "--name", place.name]
        return command(*words, "--query", "properties.parameters", "--output", "json")

    def in_force(self, said: str) -> dict[str, str]:
        """Those parameters, as `--set` would give them."""
        return {name: _text(one.get("value")) for name, one in (json.loads(said or "null") or {}).items()}

    def obstacle(self, place: Deployment, said: str) -> DeployFailed | None:
        """A parameter that was given last time and is left out now: the template would give it its default again."""
        usual = {name: _text(one.get("defaultValue", "")) for name, one in _template(place)["parameters"].items()}
        lost = [
            f"{name}={value}"
            for name, value in self.in_force(said).items()
            if name not in {*place.parameters, PYTHON, "location"} and name in usual and value != usual[name]
            if name != "name" or not re.fullmatch(MADE_UP, value)
        ]
        if not lost:
            return None
        told = f"{', '.join(lost)} would have {'its' if len(lost) == 1 else 'their'} default again"
        return DeployFailed(f"{told}, which is not what the deployment before was given", f"add {_set(lost)}, or another value")

    def authorization(self, place: Deployment) -> str:
        """The function key, as the handler's own file has it."""
        return "azure"

    def key(self, place: Deployment) -> list[Command]:
        """The app's function key."""
        words = ["az", "functionapp", "keys", "list", *self._where(place), "--name", f"${APP}"]
        return [self._app(place), command(*words, "--query", "functionKeys.default", "--output", "tsv")]

    def logs(self, place: Deployment, since: str, follow: bool) -> list[Command]:
        """What Application Insights has; to follow, its Live Metrics in a browser: Flex Consumption streams no log."""
        if follow:
            return [self._app(place), command("func", "azure", "functionapp", "logstream", f"${APP}", "--browser")]
        extension = command("az", "extension", "add", "--name", "application-insights", "--only-show-errors")  # nothing if there
        asked = "traces | order by timestamp asc | project timestamp, message"
        words = ["az", "monitor", "app-insights", "query", *self._where(place), "--apps", f"${APP}", "--analytics-query", asked]
        told = ["--offset", since, "--query", "tables[0].rows", "--output", "tsv"]
        return [self._app(place), extension, command(*words, *told)]

    def status(self, place: Deployment) -> list[Command]:
        """The app's state."""
        words = ["az", "functionapp", "show", *self._where(place), "--name", f"${APP}"]
        told = ["--query", "[name,properties.state,properties.defaultHostName]", "--output", "tsv"]
        return [self._app(place), command(*words, *told)]

    def destroy(self, place: Deployment) -> list[Command]:
        """The resource group, with all that is in it, if it is the deployment's own.

        :raises DeployFailed: it is another, which may hold other things.
        """
        group = self._group(place)
        if group != place.name:
            told = f"the resource group {group} is not named like {place.name}, and may hold other things"
            raise DeployFailed(told, f"if it holds nothing else: az group delete --name {group}")
        return [command("az", "group", "delete", "--name", group, "--yes")]

    def creates(self, place: Deployment) -> list[Resource]:
        """The template's resources, as far as their conditions hold."""
        group = Resource(self._group(place), "Microsoft.Resources/resourceGroups")
        return [group, *template.pieces(_template(place), self.settings(place))]

    def settings(self, place: Deployment) -> dict[str, str]:
        """The template's parameters."""
        described = _template(place)["parameters"]
        return {**{name: _text(one.get("defaultValue", "")) for name, one in described.items()}, **place.parameters}

    def _parameters(self, place: Deployment) -> dict[str, str]:
        """What is given, and the Python that the folder was built for.

        :raises DeployFailed: the template has no such parameter, or does not take this value.
        """
        built = str(json.loads((place.folder / MARKER).read_text())["runtime"])
        if place.parameters.get(PYTHON, built) != built:
            told = f"{place.folder} was built for Python {built}, not {place.parameters[PYTHON]}"
            raise DeployFailed(told, f"leave out --set {PYTHON}, or build another folder")
        parameters = {PYTHON: built, **place.parameters}
        refused = arm_parameters.refusals(_template(place)["parameters"], parameters)
        if refused:
            raise DeployFailed("; ".join(refused), "infra/azure/main.bicep explains its parameters")
        return parameters

    def _group(self, place: Deployment) -> str:
        return place.group or place.name

    def _where(self, place: Deployment) -> list[str]:
        return ["--resource-group", self._group(place)]

    def _output(self, place: Deployment, name: str, into: str = "") -> Command:
        words = ["az", "deployment", "group", "show", *self._where(place), "--name", place.name]
        return command(*words, "--query", f"properties.outputs.{name}.value", "--output", "tsv", into=into)

    def _app(self, place: Deployment) -> Command:
        return self._output(place, "functionApp", into=APP)

    def _publish(self, place: Deployment) -> Command:
        return command("func", "azure", "functionapp", "publish", f"${APP}", "--python", "--no-build", cwd=place.folder)


def _text(value: Any) -> str:
    """A value as `--set` gives it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _set(given: list[str]) -> str:
    return " ".join(f"--set {one}" for one in given)


def _source(place: Deployment) -> Path:
    return place.infra / "azure" / "main.json"


def _template(place: Deployment) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(_source(place).read_text())
    return template


target = Azure()

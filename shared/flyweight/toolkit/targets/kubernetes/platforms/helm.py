"""A release of the chart `infra/kubernetes/chart` by `helm`."""

from __future__ import annotations

import json
from typing import Any

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool
from flyweight.toolkit.targets.kubernetes import parameters
from flyweight.toolkit.targets.kubernetes.cluster import READY, reference
from flyweight.toolkit.targets.kubernetes.platforms.plain import Plain

WAIT = ("--wait", f"--timeout={READY}")  # for the pods
# The chart notes the number of the release that made the Deployment; Helm's own numbers go on when it rolls back
RELEASE = "{.metadata.annotations.flyweight/release}"


class Helm(Plain):
    """A release of the deployment's name; its versions are Helm's numbers of releases."""

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return kubectl and helm."""
        return [*super().tools(deployment), Tool("helm", "https://helm.sh/docs/intro/install/")]

    def applied(self, deployment: Deployment, given: dict[str, str]) -> list[Command]:
        """Install the chart, or upgrade the release, and wait for the pods; or upgrade it with a canary."""
        chart = deployment.infra / "kubernetes" / "chart"
        if given.get("canary"):  # beside the live pods, which keep their values
            canary = {"weight": int(given["canary"]), "image": _image(reference(deployment, given))}
            kept = ("--reuse-values", *WAIT, "--set-json", f"canary={json.dumps(canary)}")
            return [self._helm(deployment, "upgrade", deployment.name, str(chart), *kept)]
        values = self._values(deployment, given)
        words = [word for name, value in values.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]
        return [self._helm(deployment, "upgrade", deployment.name, str(chart), "--install", *WAIT, *words)]

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the number of the release from the Deployment."""
        return [self.asks(deployment, "get", "deployment", deployment.name, f"--output=jsonpath={RELEASE}")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the number of the release that was superseded last, from the Secrets in which Helm keeps releases."""
        where = f"--selector=owner=helm,name={deployment.name},status=superseded"
        order = "--sort-by={.metadata.labels.version}"
        return [self.asks(deployment, "get", "secrets", where, order, "--output=jsonpath={.items[-1:].metadata.labels.version}")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Roll back to the release of this number, and wait for its pods; that of before a canary has none."""
        return [self._helm(deployment, "rollback", deployment.name, label, *WAIT)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Uninstall the release."""
        return [self._helm(deployment, "uninstall", deployment.name, "--wait")]

    def _values(self, deployment: Deployment, given: dict[str, str]) -> dict[str, Any]:
        """Return the chart's values for these parameters, by their first names."""
        values: dict[str, Any] = {"image": _image(reference(deployment, given))}
        for name, one in parameters.described(deployment.infra).items():
            for path in one.get("helm", []) if name in given else []:
                *above, last = path.split(".")
                inner = values
                for part in above:
                    inner = inner.setdefault(part, {})
                text = given[name]
                inner[last] = int(text) if one.get("type") == "integer" else {"true": True, "false": False}.get(text, text)
        if variables := parameters.variables(given):
            values["env"] = variables
        if deployment.tags:
            values["podLabels"] = dict(deployment.tags)
        return values

    def _helm(self, deployment: Deployment, *words: str) -> Command:
        """Create a command of helm in the deployment's namespace."""
        return command("helm", *words, *([f"--namespace={deployment.group}"] if deployment.group else []))


def _image(image: str) -> dict[str, str]:
    """Name an image as the chart's values do."""
    place = parameters.without_tag(image)
    tag, _, digest = image[len(place) :].removeprefix(":").partition("@")
    return {"repository": place, "digest": digest, "tag": "" if digest else tag}


DEPLOYER = Helm()

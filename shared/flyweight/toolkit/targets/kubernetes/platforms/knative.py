"""A Knative Service, whose revisions share the requests."""

from __future__ import annotations

import json
from dataclasses import replace

from flyweight.toolkit.targets.commands import Command, Expanded, variable
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.kubernetes.cluster import Cluster

LIVE = "LIVE"  # the shell variable with the revision that gets the requests


class Knative(Cluster):
    """A Knative Service of the deployment's name; its versions are its revisions."""

    form = "knative"
    kind = "services.serving.knative.dev"
    selector = "serving.knative.dev/service"
    refused = ("claim", "host", "gateway", "monitoring")

    def applied(self, deployment: Deployment, given: dict[str, str]) -> list[Command]:
        """Write the overlay, apply it, and wait for it; a canary leaves the other requests to the live revision."""
        if not given.get("canary"):
            return super().applied(deployment, given)
        live = self._revision(deployment, "0", LIVE)
        written, *rest = super().applied(deployment, given)
        return [live, replace(written, words=(*written.words, "--live", variable(LIVE))), *rest]

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the revision that gets the requests; of two the canary, which is the last."""
        return [self._revision(deployment, "-1:")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the revision that was made before the newest one."""
        where = f"--selector={self.selector}={deployment.name}"
        order, shown = "--sort-by={.metadata.creationTimestamp}", "--output=jsonpath={.items[-2:-1].metadata.name}"
        return [self.asks(deployment, "get", "revisions.serving.knative.dev", where, order, shown)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Send all requests to the earlier revision, which still exists; the next deployment sends them to its own."""
        text = json.dumps({"spec": {"traffic": [{"revisionName": str(label), "percent": 100}]}}, separators=(",", ":"))
        patch = type(label)(text) if isinstance(label, Expanded) else text
        return [
            self.asks(deployment, "patch", self.kind, deployment.name, "--type=merge", "--patch", patch),
            *self.awaited(deployment),
        ]

    def _revision(self, deployment: Deployment, which: str, into: str = "") -> Command:
        """Read the name of one of the revisions that get requests."""
        shown = f"--output=jsonpath={{.status.traffic[{which}].revisionName}}"
        return self.asks(deployment, "get", self.kind, deployment.name, shown, into=into)

    def status(self, deployment: Deployment) -> list[Command]:
        """Read its condition, and the revisions with their shares."""
        shown = (
            "{.metadata.name} {.status.conditions[?(@.type=='Ready')].status}"
            "{range .status.traffic[*]} {.revisionName} {.percent}%{end}"
        )
        return [self.asks(deployment, "get", self.kind, deployment.name, f"--output=jsonpath={shown}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the Service with its revisions, and its account."""
        names = [f"{self.kind}/{deployment.name}", f"serviceaccount/{deployment.name}"]
        return [self.asks(deployment, "delete", *names)]

    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds; Knative makes a Configuration, a Route and Revisions of the Service."""
        return ["Service (Knative)", "Revision, one a deployment", "ServiceAccount"]


DEPLOYER = Knative()

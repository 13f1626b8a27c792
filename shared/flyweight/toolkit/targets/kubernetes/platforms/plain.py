"""Plain manifests by `kubectl`: a Deployment with its Service, autoscaler, disruption budget and network policy."""

from __future__ import annotations

import json
from dataclasses import replace

from flyweight.toolkit.targets.commands import Command, Expanded, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.kubernetes.cluster import READY, URL, Cluster

KINDS = ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount")
REVISION = r"{.metadata.annotations.deployment\.kubernetes\.io/revision}"
ORDER = f"--sort-by={REVISION}"
HASH = "{.metadata.labels.pod-template-hash}"
# shell variables: the revision to go back to, the hashes of a canary, each after a hyphen, the place of a ReplicaSet in a list
TO, CANARY, WHICH = "REVISION", "CANARY", "WHICH"
BESIDE = "-canary"  # what the names of a canary's resources end with
# prints the place of the live ReplicaSet where $0 prints anything, and else that of the one before
PLACE = 'test -n "$(kubectl get replicasets "$@")" && echo -1: || echo -2:-1'
ROUTE = 'if kubectl get httproute "$@" >/dev/null 2>&1; then kubectl patch httproute "$@" --type=json --patch "$0"; fi'


class Plain(Cluster):
    """A Deployment; its versions are its ReplicaSets, which a rollback scales up again.

    A canary is a second Deployment with a Service and all else of its own, to which the route gives a share of the requests.
    """

    def applied(self, deployment: Deployment, given: dict[str, str]) -> list[Command]:
        """Write the overlay, apply it, wait for the pods, and end a canary; or make a canary beside the live pods."""
        if not given.get("canary"):
            return [*super().applied(deployment, given), self._end_canary(deployment)]
        share, name = int(given["canary"]), f"{deployment.name}{BESIDE}"
        own = {key: value for key, value in given.items() if key not in ("canary", "host", "gateway", "monitoring")}
        return [
            self.asks(deployment, "get", "httproute", deployment.name, "--output=name"),  # fails here where there is none
            *super().applied(replace(deployment, name=name), {"minReplicas": "1", **own}),
            self.asks(deployment, "patch", "httproute", deployment.name, "--type=json", "--patch", _shares(deployment, share)),
        ]

    def awaited(self, deployment: Deployment) -> list[Command]:
        """Wait until the new pods have answered their model's sample and the old ones have ended."""
        return [self.asks(deployment, "rollout", "status", f"deployment/{deployment.name}", f"--timeout={READY}")]

    def url(self, deployment: Deployment) -> Command:
        """Read the route's host from the Service, or the address of its load balancer; nothing else leads there from outside.

        A canary's Service has neither: most requests to the route would ask the live pods.
        """
        name = f"{deployment.name}{BESIDE}" if deployment.parameters.get("canary") else deployment.name
        return self.asks(deployment, "get", "service", name, f"--output=jsonpath={URL}")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the hash of the newest ReplicaSet's pods, which stays the same when a rollback gives it another revision.

        The hashes of a canary's ReplicaSets follow.
        """
        shown = f"--output=jsonpath={{range .items[*]}}-{HASH}{{end}}"
        canary = self.asks(deployment, "get", "replicasets", self._selected(deployment, BESIDE), ORDER, shown, into=CANARY)
        return [canary, self._replica_sets(deployment, "-1:", f"${CANARY}")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the hash of the ReplicaSet whose revision is the last but one; with a canary, of the last one."""
        where = self.asks(deployment).words[1:]
        words = ("sh", "-c", PLACE, "-", self._selected(deployment, BESIDE), "--output=name", *where)
        return [command(*words, into=WHICH), self._replica_sets(deployment, f"${WHICH}")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Go back to the revision of the ReplicaSet with this hash, wait for its pods, and end a canary."""
        name = type(label)(f"{deployment.name}-{label.partition('-')[0]}")
        revision = self.asks(deployment, "get", "replicaset", name, f"--output=jsonpath={REVISION}", into=TO)
        undo = self.asks(deployment, "rollout", "undo", f"deployment/{deployment.name}", Expanded(f"--to-revision=${TO}"))
        return [revision, undo, *self.awaited(deployment), self._all_to_live(deployment), self._end_canary(deployment)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read how many pods are ready, and their image."""
        shown = "{.metadata.name} {.status.readyReplicas}/{.status.replicas} ready {.spec.template.spec.containers[0].image}"
        return [self.asks(deployment, "get", "deployment", deployment.name, f"--output=jsonpath={shown}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove what was applied from here; in a fresh checkout, Kubernetes' own kinds with the deployment's label."""
        overlay = self.overlay(deployment)
        if (overlay / "kustomization.yaml").is_file():
            return [command("kubectl", "delete", "--ignore-not-found", "--kustomize", overlay), self._end_canary(deployment)]
        return [self.asks(deployment, "delete", _kinds(), self._selected(deployment)), self._end_canary(deployment)]

    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds; a route and a ServiceMonitor if they are asked for."""
        settings = self.settings(deployment)
        asked = {"HTTPRoute": settings.get("host"), "ServiceMonitor": settings.get("monitoring") == "true"}
        return [*KINDS, *(kind for kind, wanted in asked.items() if wanted)]

    def _replica_sets(self, deployment: Deployment, which: str, end: str = "") -> Command:
        """Read a hash from the ReplicaSets in the order of their revisions.

        :param which: the slice of the list that has it.
        :param end: what is printed after it.
        """
        shown = Expanded(f"--output=jsonpath={{.items[{which}]{HASH[1:]}{end}")
        return self.asks(deployment, "get", "replicasets", self._selected(deployment), ORDER, shown)

    def _selected(self, deployment: Deployment, end: str = "") -> str:
        """Select what belongs to the deployment, or to its canary."""
        return f"--selector=app.kubernetes.io/name=flyweight,{self.selector}={deployment.name}{end}"

    def _all_to_live(self, deployment: Deployment) -> Command:
        """Give all requests of the route, if there is one, to the live pods."""
        where = self.asks(deployment).words[1:]
        return command("sh", "-c", ROUTE, _shares(deployment, 0), deployment.name, *where)

    def _end_canary(self, deployment: Deployment) -> Command:
        """Remove the resources of a canary, if there are any."""
        return self.asks(deployment, "delete", "--ignore-not-found", _kinds(), self._selected(deployment, BESIDE))


def _kinds() -> str:
    return ",".join(kind.lower() for kind in KINDS)


def _shares(deployment: Deployment, canary: int) -> str:
    """Write the patch of a route that gives a canary its share of the requests."""
    shares = {deployment.name: 100 - canary, **({f"{deployment.name}{BESIDE}": canary} if canary else {})}
    services = [{"name": name, "port": 80, "weight": weight} for name, weight in shares.items()]
    return json.dumps([{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": services}], separators=(",", ":"))


DEPLOYER = Plain()

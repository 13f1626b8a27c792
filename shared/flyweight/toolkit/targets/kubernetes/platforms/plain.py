"""Plain manifests by `kubectl`: a Deployment with its Service, autoscaler, disruption budget and network policy."""

from __future__ import annotations

from flyweight.toolkit.targets.commands import Command, Expanded, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.kubernetes.cluster import READY, URL, Cluster

KINDS = ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount")
REVISION = r"{.metadata.annotations.deployment\.kubernetes\.io/revision}"
HASH = "{.metadata.labels.pod-template-hash}"
TO = "REVISION"  # the shell variable that has the revision to go back to


class Plain(Cluster):
    """A Deployment; its versions are its ReplicaSets, which a rollback scales up again."""

    def awaited(self, deployment: Deployment) -> list[Command]:
        """Wait until the new pods have answered their model's sample and the old ones have ended."""
        return [self.asks(deployment, "rollout", "status", f"deployment/{deployment.name}", f"--timeout={READY}")]

    def url(self, deployment: Deployment) -> Command:
        """Read the route's host from the Service, or the address of its load balancer; nothing else leads there from outside."""
        return self.asks(deployment, "get", "service", deployment.name, f"--output=jsonpath={URL}")

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the hash of the newest ReplicaSet's pods, which stays the same when a rollback gives it another revision."""
        return [self._replica_sets(deployment, "-1:")]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the hash of the ReplicaSet whose revision is the last but one."""
        return [self._replica_sets(deployment, "-2:-1")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Go back to the revision of the ReplicaSet with this hash, and wait for its pods."""
        name = type(label)(f"{deployment.name}-{label}")
        revision = self.asks(deployment, "get", "replicaset", name, f"--output=jsonpath={REVISION}", into=TO)
        undo = self.asks(deployment, "rollout", "undo", f"deployment/{deployment.name}", Expanded(f"--to-revision=${TO}"))
        return [revision, undo, *self.awaited(deployment)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read how many pods are ready, and their image."""
        shown = "{.metadata.name} {.status.readyReplicas}/{.status.replicas} ready {.spec.template.spec.containers[0].image}"
        return [self.asks(deployment, "get", "deployment", deployment.name, f"--output=jsonpath={shown}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove what was applied from here; in a fresh checkout, Kubernetes' own kinds with the deployment's label."""
        overlay = self.overlay(deployment)
        if (overlay / "kustomization.yaml").is_file():
            return [command("kubectl", "delete", "--ignore-not-found", "--kustomize", overlay)]
        kinds = ",".join(kind.lower() for kind in KINDS)
        selector = f"--selector=app.kubernetes.io/name=flyweight,{self.selector}={deployment.name}"
        return [self.asks(deployment, "delete", kinds, selector)]

    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds; a route and a ServiceMonitor if they are asked for."""
        settings = self.settings(deployment)
        asked = {"HTTPRoute": settings.get("host"), "ServiceMonitor": settings.get("monitoring") == "true"}
        return [*KINDS, *(kind for kind, wanted in asked.items() if wanted)]

    def _replica_sets(self, deployment: Deployment, which: str) -> Command:
        """Read a hash from the ReplicaSets in the order of their revisions.

        :param which: the slice of the list that has it.
        """
        where = f"--selector={self.selector}={deployment.name}"
        order = f"--sort-by={REVISION}"
        shown = f"--output=jsonpath={{.items[{which}]{HASH[1:]}"
        return self.asks(deployment, "get", "replicasets", where, order, shown)


DEPLOYER = Plain()

"""An InferenceService of KServe with a ServingRuntime of ours, which answers the Open Inference Protocol v2."""

from __future__ import annotations

from flyweight.toolkit.targets.commands import Command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.kubernetes.cluster import Cluster


class KServe(Cluster):
    """An InferenceService of the deployment's name.

    KServe keeps no versions that one could go back to in all of its modes, so that the earlier manifests are applied again.
    """

    form = "kserve"
    kind = "inferenceservice"
    selector = "serving.kserve.io/inferenceservice"
    container = "kserve-container"
    refused = ("claim", "host", "gateway", "monitoring")

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Apply the manifests of the earlier release, whose image is still in the registry."""
        return self.applied(deployment, self.checked(deployment))

    def status(self, deployment: Deployment) -> list[Command]:
        """Read its condition, and the image of its runtime."""
        shown = "{.metadata.name} {.status.conditions[?(@.type=='Ready')].status} {.status.url}"
        return [self.asks(deployment, "get", self.kind, deployment.name, f"--output=jsonpath={shown}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the InferenceService, its runtime and its account."""
        names = [f"{kind}/{deployment.name}" for kind in (self.kind, "servingruntime", "serviceaccount")]
        return [self.asks(deployment, "delete", *names)]

    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds."""
        return ["InferenceService", "ServingRuntime", "ServiceAccount"]


DEPLOYER = KServe()

"""An InferenceService of KServe with a ServingRuntime of ours, which answers the Open Inference Protocol v2."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.kubernetes.cluster import Cluster
from flyweight.toolkit.targets.kubernetes.overlay import RELEASE
from flyweight.toolkit.targets.package import MARKER

APPLIED = r"{.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}"
MANIFESTS = "MANIFESTS"  # the shell variable with those of the release before
# in each script $0 is the name, and $@ where it is
SAVED = f"""release=$(kubectl get inferenceservice "$0" "$@" --output=jsonpath='{{.metadata.annotations.{RELEASE}}}') || exit 0
manifests=$(kubectl get servingruntime,inferenceservice "$0" "$@" --output=jsonpath='{{range .items[*]}}{APPLIED}{{end}}')
kubectl create configmap "$0-before" "$@" --from-literal=release="$release" --from-literal=manifests="$manifests" \\
  --dry-run=client --output=yaml | kubectl apply --filename=-"""
KEPT = """release=$1; shift
test "$(kubectl get configmap "$0-before" "$@" --output=jsonpath={.data.release})" = "$release" ||
  { echo "the cluster keeps the release before the live one alone, and it is not $release" >&2; exit 1; }
kubectl get configmap "$0-before" "$@" --output=jsonpath={.data.manifests}"""


class KServe(Cluster):
    """An InferenceService of the deployment's name.

    KServe keeps no versions that one could go back to in all of its modes. So each deployment keeps the manifests of the release
    before in a ConfigMap beside it, and a rollback applies them again.
    """

    form = "kserve"
    kind = "inferenceservice"
    selector = "serving.kserve.io/inferenceservice"
    container = "kserve-container"
    refused = ("claim", "host", "gateway", "monitoring", "canary")

    def applied(self, deployment: Deployment, given: dict[str, str]) -> list[Command]:
        """Write the overlay, keep the live manifests, apply those of the overlay, and wait."""
        written, *rest = super().applied(deployment, given)
        return [written, self._saved(deployment), *rest]

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the release, which the InferenceService names."""
        shown = f"--output=jsonpath={{.metadata.annotations.{RELEASE}}}"
        return [self.asks(deployment, "get", self.kind, deployment.name, shown)]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the release whose manifests the cluster keeps."""
        return [self.asks(deployment, "get", "configmap", f"{deployment.name}-before", "--output=jsonpath={.data.release}")]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Apply the manifests of the earlier release: of its folder, or without it those that the cluster keeps."""
        if (deployment.folder / MARKER).is_file():
            return self.applied(deployment, self.checked(deployment))
        kept = self._script(deployment, KEPT, label)
        apply = 'printf %s "$1" | kubectl apply --filename=-'
        return [
            replace(kept, into=MANIFESTS),
            self._saved(deployment),
            command("sh", "-c", apply, deployment.name, variable(MANIFESTS)),
            *self.awaited(deployment),
        ]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read its condition, and the image of its runtime."""
        shown = "{.metadata.name} {.status.conditions[?(@.type=='Ready')].status} {.status.url}"
        return [self.asks(deployment, "get", self.kind, deployment.name, f"--output=jsonpath={shown}")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the InferenceService, its runtime and its account, and the manifests of the release before."""
        names = [f"{kind}/{deployment.name}" for kind in (self.kind, "servingruntime", "serviceaccount")]
        kept = self.asks(deployment, "delete", "configmap", f"{deployment.name}-before", "--ignore-not-found")
        return [self.asks(deployment, "delete", *names), kept]

    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds."""
        return ["InferenceService", "ServingRuntime", "ServiceAccount", "ConfigMap"]

    def _saved(self, deployment: Deployment) -> Command:
        """Keep the manifests that are live, if there are any."""
        return self._script(deployment, SAVED)

    def _script(self, deployment: Deployment, script: str, *words: str) -> Command:
        """Create the command of a script."""
        return command("sh", "-c", script, deployment.name, *words, *self.asks(deployment).words[1:])


DEPLOYER = KServe()

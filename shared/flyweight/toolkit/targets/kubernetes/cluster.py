"""What the platforms of a cluster share: names, the image, the log, and questions to `kubectl`."""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.images.layout import Layout
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.kubernetes import memory, parameters
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import image_of, read_marker

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names, shorter by what is appended
NAMES = Rule(
    "a deployment", r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?",
    "begin with a small letter, followed by small letters, digits and -, at most 50, the last of which is no -",
)  # fmt: skip
NAMESPACES = Rule(
    "a namespace", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "begin with a small letter or digit, followed by small letters, digits and -, at most 63, the last of which is no -",
)  # fmt: skip
KUBECTL = "https://kubernetes.io/docs/tasks/tools/#kubectl"
SIGN_IN = "the login of your cluster's provider, then: kubectl config use-context CONTEXT"
READY = "120s"  # in which a rollout has to end
URL = "{.metadata.annotations.flyweight/url}{range .status.loadBalancer.ingress[*]}http://{.ip}{.hostname}{end}"


class Cluster(Deployer):
    """A deployment in a namespace, which `group` names, of the cluster that kubectl's current context names.

    `form`: the folder of `infra/kubernetes`; `kind`: the resource that the deployment's name belongs to; `refused`: parameters
    that the platform does not have; `selector` and `container`: of the pods whose log is read.
    """

    name = "kubernetes"
    name_rule = NAMES
    group_rule = NAMESPACES
    form = "base"
    kind = "deployment"
    refused: tuple[str, ...] = ()
    selector = "app.kubernetes.io/instance"
    container = "model"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return kubectl."""
        return [Tool("kubectl", KUBECTL, command("kubectl", "auth", "whoami"), SIGN_IN)]

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the context, which names the cluster."""
        return [command("kubectl", "config", "current-context")]

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the namespace."""
        return (deployment.group,)

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Push the image beside the folder, write the overlay, apply it, and wait for the pods.

        :raises DeployFailed: a parameter is unknown or has no meaning, or the memory can't be measured.
        """
        given = self.checked(deployment)
        return [*self.push(deployment), *self.applied(deployment, given)]

    def applied(self, deployment: Deployment, given: dict[str, str]) -> list[Command]:
        """Write the overlay of a deployment, apply it, and wait for it."""
        folder = self.overlay(deployment)
        words: list[str | Path] = [self.form, folder, "--infra", deployment.infra, "--name", deployment.name]
        words += ["--namespace", deployment.group] if deployment.group else []
        words += ["--image", reference(deployment, given)]
        words += [word for name, value in given.items() if name != "image" for word in ("--set", f"{name}={value}")]
        words += [word for name, value in deployment.tags.items() for word in ("--label", f"{name}={value}")]
        written = command(sys.executable, "-m", "flyweight.toolkit.targets.kubernetes.overlay", *words)
        return [written, command("kubectl", "apply", "--kustomize", folder), *self.awaited(deployment)]

    def awaited(self, deployment: Deployment) -> list[Command]:
        """List the commands that wait until the deployment is ready."""
        name = f"{self.kind}/{deployment.name}"
        return [self.asks(deployment, "wait", name, "--for=condition=Ready", f"--timeout={READY}")]

    def url(self, deployment: Deployment) -> Command:
        """Read the address by which callers outside of the cluster reach it, if there is one."""
        return self.asks(deployment, "get", self.kind, deployment.name, "--output=jsonpath={.status.url}")

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the log of all pods."""
        words = [f"--selector={self.selector}={deployment.name}", f"--container={self.container}", "--prefix"]
        words += ["--tail=-1", f"--since={since}", "--max-log-requests=100", *(["--follow"] if follow else [])]
        return [self.asks(deployment, "logs", *words)]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the resources of the form."""
        return [Resource(deployment.name, kind) for kind in self.kinds(deployment)]

    @abstractmethod
    def kinds(self, deployment: Deployment) -> list[str]:
        """List the kinds of the resources of a deployment."""

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return every parameter, with its default where it is not given."""
        return parameters.with_defaults(deployment.infra, deployment.parameters)

    def checked(self, deployment: Deployment) -> dict[str, str]:
        """Check the parameters, name the image, and measure the memory if it is not given.

        :returns: the parameters that have a value.
        :raises DeployFailed: as `deploy`.
        """
        parameters.check(deployment.infra, deployment.parameters, deployment.tags, self.refused)
        marker = read_marker(deployment.folder)
        settings = {name: value for name, value in self.settings(deployment).items() if name not in self.refused}
        settings["image"] = settings.get("image") or f"{deployment.name}:{marker['version']}"
        if settings.get("memory") == "":
            variables = {one["name"]: one["value"] for one in parameters.variables(settings)}
            settings["memory"] = memory.measured(deployment.folder, variables)
        return {name: value for name, value in settings.items() if value}

    def push(self, deployment: Deployment) -> list[Command]:
        """List the command that pushes the image beside the folder to its name; [] without an image or a name for it."""
        layout, name = image_of(deployment.folder), deployment.parameters.get("image")
        return [command("flyweight", "image", "push", layout, name)] if name and layout.is_dir() else []

    def overlay(self, deployment: Deployment) -> Path:
        """Return the folder for the deployment's kustomization."""
        return deployment.work / "overlays" / (deployment.group or "-") / deployment.name

    def asks(self, deployment: Deployment, *words: str, into: str = "") -> Command:
        """Create a command of kubectl in the deployment's namespace."""
        where = [f"--namespace={deployment.group}"] if deployment.group else []
        return replace(command("kubectl", *words, *where), into=into)


def reference(deployment: Deployment, given: dict[str, str]) -> str:
    """Return the image that pods run: by its digest, if it is pushed from here.

    :raises DeployFailed: the layout beside the folder lists several images.
    """
    image, path = given["image"], image_of(deployment.folder)
    if not path.is_dir() or not deployment.parameters.get("image"):
        return image
    layout = Layout(path)
    images = [one for one in layout.images() if "subject" not in layout.document(one)]  # not what is attached to an image
    layout.close()
    if len(images) != 1:
        raise DeployFailed(f"{path} lists {len(images)} images", "build the folder again: flyweight build kubernetes --as oci")
    return f"{parameters.without_tag(image)}@{images[0]['digest']}"

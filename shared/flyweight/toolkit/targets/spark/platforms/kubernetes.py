"""Submit the job to a cluster of Kubernetes with kubectl: a SparkApplication of Apache's or Kubeflow's operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.spark.submitted import Submitted, sent, words

# https://github.com/kubeflow/spark-operator: api/v1beta2; the manifest in infra/spark/ is what this module fills in
MANIFEST = "spark-application.json"


class Kubernetes(Submitted):
    """A SparkApplication of the deployment's name in the namespace that `group` names."""

    platform = "kubernetes"
    parameters: Mapping[str, str] = {"image": "", "files": "", "account": "spark", "executors": "2", "cores": "1", "memory": "2g"}
    required = ("input", "output", "image", "files")

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return kubectl."""
        return [Tool("kubectl", "https://kubernetes.io/docs/tasks/tools/", command("kubectl", "version"), "choose a cluster")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Write the manifest to the work folder, and apply it; a job of the name is replaced.

        :raises DeployFailed: a parameter is missing.
        """
        path = self.written(deployment)
        gone = command(*self._kubectl(deployment), "delete", "sparkapplication", deployment.name, "--ignore-not-found")
        return [gone, command(*self._kubectl(deployment), "apply", f"--filename={path}")]

    def written(self, deployment: Deployment) -> Path:
        """Write the manifest of this deployment."""
        given = self.given(deployment)
        source = deployment.infra / "spark" / MANIFEST
        try:
            manifest: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
        except OSError as error:
            raise DeployFailed(f"{source} can't be read: {error}", "give another --infra") from None
        manifest["metadata"] |= {"name": deployment.name, "labels": {**manifest["metadata"].get("labels", {}), **deployment.tags}}
        places, spec = sent(deployment.folder, given["files"].rstrip("/")), manifest["spec"]
        deps = {"pyFiles": [places["zip"]], "files": [places["model"]]}
        spec |= {"image": given["image"], "mainApplicationFile": places["entry"], "arguments": words(given), "deps": deps}
        spec["driver"] |= {"serviceAccount": given["account"], "memory": given["memory"]}
        spec["executor"] |= {"instances": int(given["executors"]), "cores": int(given["cores"]), "memory": given["memory"]}
        deployment.work.mkdir(parents=True, exist_ok=True)
        path = deployment.work / f"{deployment.name}.{MANIFEST}"
        path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        return path

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the driver's log."""
        words = ["logs", f"{deployment.name}-driver", f"--since={since}", *(["--follow"] if follow else [])]
        return [command(*self._kubectl(deployment), *words)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the application's state."""
        where = ("get", "sparkapplication", deployment.name, "--output=jsonpath={.status.applicationState.state}")
        return [command(*self._kubectl(deployment), *where)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the application, and with it its pods."""
        return [command(*self._kubectl(deployment), "delete", "sparkapplication", deployment.name, "--ignore-not-found")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the application and its pods."""
        driver = Resource(f"{deployment.name}-driver", "Pod")
        return [Resource(deployment.name, "SparkApplication"), driver, Resource(f"{deployment.name}-exec-N", "Pods")]

    def _kubectl(self, deployment: Deployment) -> list[str]:
        return ["kubectl", *([f"--namespace={deployment.group}"] if deployment.group else [])]


DEPLOYER = Kubernetes()

"""Submit the job to a Spark pool of Azure Synapse with az, which has pyarrow and NumPy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.spark.submitted import Submitted, sent, words


class Synapse(Submitted):
    """A batch job of a pool; the files are in the container `flyweight` of a storage account that the workspace reads."""

    platform = "synapse"
    parameters: Mapping[str, str] = {
        "workspace": "",
        "pool": "",
        "account": "",
        "container": "flyweight",
        "size": "Small",
        "executors": "2",
    }
    required = ("input", "output", "workspace", "pool", "account")

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return az."""
        return [
            Tool("az", "https://learn.microsoft.com/cli/azure/install-azure-cli", command("az", "account", "show"), "az login")
        ]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy the folder to the account, and submit the job: https://learn.microsoft.com/cli/azure/synapse/spark/job."""
        given = self.given(deployment)
        root = f"abfss://{given['container']}@{given['account']}.dfs.core.windows.net/{deployment.name}"
        places = sent(deployment.folder, root)
        copied = command(
            "az", "storage", "blob", "upload-batch", "--account-name", given["account"], "--destination", given["container"],
            "--destination-path", deployment.name, "--source", deployment.folder.resolve(), "--overwrite", "--auth-mode", "login",
        )  # fmt: skip
        job = ["az", "synapse", "spark", "job", "submit", *self._pool(given), "--name", deployment.name, "--language", "PySpark"]
        job += ["--main-definition-file", places["entry"], "--main-class-name", "none", "--reference-files", places["model"]]
        job += ["--configuration", json.dumps({"spark.submit.pyFiles": places["zip"]})]
        job += ["--executors", given["executors"], "--executor-size", given["size"]]
        job += ["--tags", *[f"{name}={value}" for name, value in deployment.tags.items()]] if deployment.tags else []
        return [copied, command(*job, "--arguments", shlex.join(words(given)))]  # one word: az takes each -- for its own

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """List the pool's jobs; their logs are in Synapse Studio."""
        return self.status(deployment)

    def status(self, deployment: Deployment) -> list[Command]:
        """List the pool's jobs."""
        return [command("az", "synapse", "spark", "job", "list", *self._pool(self.settings(deployment)), "--output", "table")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the files; the records of jobs stay."""
        given = self.settings(deployment)
        words = ["az", "storage", "blob", "delete-batch", "--account-name", given["account"], "--source", given["container"]]
        return [command(*words, "--pattern", f"{deployment.name}/*", "--auth-mode", "login")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the job and the files."""
        return [Resource(deployment.name, "Spark batch job"), Resource(deployment.name, "files in the account")]

    def _pool(self, given: dict[str, str]) -> list[str]:
        return ["--workspace-name", given["workspace"], "--spark-pool-name", given["pool"]]


DEPLOYER = Synapse()

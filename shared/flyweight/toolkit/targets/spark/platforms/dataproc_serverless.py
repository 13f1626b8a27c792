"""Submit the job as a batch of Dataproc Serverless with gcloud, which has Spark, pyarrow and NumPy."""

from __future__ import annotations

from collections.abc import Mapping

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.gcp.deployment import PROJECTS
from flyweight.toolkit.targets.spark.submitted import Submitted, sent, words


class Dataproc(Submitted):
    """A batch in the project that `group` names; Google keeps its record under a number of its own."""

    platform = "dataproc_serverless"
    # https://cloud.google.com/dataproc-serverless/docs/concepts/versions/spark-runtime-versions
    parameters: Mapping[str, str] = {"bucket": "", "version": "3.0", "account": "", "properties": ""}
    required = ("input", "output", "bucket")
    group_rule = PROJECTS
    region = "europe-west1"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return gcloud."""
        login = command("gcloud", "auth", "print-access-token", *self._project(deployment))
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", login, "gcloud auth login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy the folder to the bucket, and submit the batch; the command waits for its end."""
        given = self.given(deployment)
        root = f"gs://{given['bucket']}/{deployment.name}"
        places = sent(deployment.folder, root)
        copied = command(
            "gcloud",
            "storage",
            "rsync",
            deployment.folder.resolve(),
            root,
            "--recursive",
            "--delete-unmatched-destination-objects",
        )
        options = [f"--py-files={places['zip']}", f"--files={places['model']}", f"--version={given['version']}"]
        options += [f"--service-account={given['account']}"] if given["account"] else []
        options += [f"--properties={given['properties']}"] if given["properties"] else []
        labels = {"flyweight": deployment.name, **deployment.tags}
        options += ["--labels=" + ",".join(f"{name}={value}" for name, value in labels.items())]
        batch = ["gcloud", "dataproc", "batches", "submit", "pyspark", places["entry"], *self._where(deployment), *options]
        return [copied, command(*batch, "--", *words(given))]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the log of the project's batches."""
        query = 'resource.type="cloud_dataproc_batch"'
        return [command("gcloud", "logging", "read", query, f"--freshness={since}", *self._project(deployment))]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the batches of this name, the newest first."""
        words = ["gcloud", "dataproc", "batches", "list", *self._where(deployment)]
        return [command(*words, f"--filter=labels.flyweight={deployment.name}", "--format=value(name,state,createTime)")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the files in the bucket; the records of batches stay."""
        bucket = self.settings(deployment)["bucket"]
        return [command("gcloud", "storage", "rm", "--recursive", f"gs://{bucket}/{deployment.name}")] if bucket else []

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the batch and the files."""
        return [Resource(deployment.name, "Dataproc batch"), Resource(deployment.name, "files in the bucket")]

    def _project(self, deployment: Deployment) -> list[str]:
        return [f"--project={deployment.group}"] if deployment.group else []

    def _where(self, deployment: Deployment) -> list[str]:
        return [*self._project(deployment), f"--region={deployment.region or self.region}"]


DEPLOYER = Dataproc()

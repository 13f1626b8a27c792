"""Copy the folder to a bucket of Cloud Storage, below the deployment's name; https://cloud.google.com/sdk/gcloud/reference/storage."""

from __future__ import annotations

from flyweight.toolkit.targets.browser.static_host import TYPES, StaticHost
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool


class Gcs(StaticHost):
    """A folder in the bucket that `group` names, which is there already."""

    platform = "gcs"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return gcloud."""
        login = command("gcloud", "auth", "print-access-token")
        return [Tool("gcloud", "https://cloud.google.com/sdk/docs/install", login, "gcloud auth login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy the files that differ, remove others, and set the types."""
        root = self._root(deployment)
        options = ["--recursive", "--checksums-only", "--delete-unmatched-destination-objects"]
        copied = command("gcloud", "storage", "rsync", deployment.folder.resolve(), root, *options)
        update = ["gcloud", "storage", "objects", "update"]
        return [copied, *(command(*update, f"{root}**.{name}", f"--content-type={kind}") for name, kind in TYPES.items())]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the files, which fails where there are none."""
        return [command("gcloud", "storage", "ls", self._root(deployment), "--recursive")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the files; the bucket stays."""
        return [command("gcloud", "storage", "rm", self._root(deployment), "--recursive")]

    def _root(self, deployment: Deployment) -> str:
        return f"gs://{deployment.group}/{deployment.name}/"


DEPLOYER = Gcs()

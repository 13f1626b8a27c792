"""Copy the folder to a bucket of S3, below the deployment's name; https://docs.aws.amazon.com/cli/latest/reference/s3/."""

from __future__ import annotations

from flyweight.toolkit.targets.aws.deployment import CLI
from flyweight.toolkit.targets.browser.static_host import TYPES, StaticHost
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool


class S3(StaticHost):
    """A folder in the bucket that `group` names, which is there already."""

    platform = "s3"

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the AWS CLI."""
        return [Tool("aws", CLI, command("aws", "sts", "get-caller-identity"), "aws configure, or: aws sso login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy all files, then remove others: `sync` alone keeps a newer file of the same size, as in a rollback."""
        copied = [*self._s3(deployment, "cp", deployment.folder.resolve(), self._root(deployment)), "--recursive"]
        others = [word for suffix in TYPES for word in ("--exclude", f"*.{suffix}")]
        typed = [["--exclude", "*", "--include", f"*.{name}", "--content-type", kind] for name, kind in TYPES.items()]
        removed = [*self._s3(deployment, "sync", deployment.folder.resolve(), self._root(deployment)), "--delete", "--size-only"]
        return [*(command(*copied, *which) for which in (others, *typed)), command(*removed)]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the files, which fails where there are none."""
        return [command(*self._s3(deployment, "ls", self._root(deployment)), "--recursive")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the files; the bucket stays."""
        return [command(*self._s3(deployment, "rm", self._root(deployment)), "--recursive")]

    def _root(self, deployment: Deployment) -> str:
        return f"s3://{deployment.group}/{deployment.name}/"

    def _s3(self, deployment: Deployment, verb: str, *places: object) -> list[str]:
        return ["aws", "s3", verb, *map(str, places), *(["--region", deployment.region] if deployment.region else [])]


DEPLOYER = S3()

"""Deploy the job with Databricks' asset bundles: `databricks bundle deploy`, then `databricks bundle run`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool
from flyweight.toolkit.targets.spark.submitted import Submitted, words

BUNDLE = "databricks.yml"
# --var takes no lists: https://docs.databricks.com/dev-tools/bundles/variables#set-a-variables-value
VALUES = ".databricks/bundle/default/variable-overrides.json"


class Databricks(Submitted):
    """A job of the deployment's name in the workspace of the CLI's profile, whose files the bundle copies there."""

    platform = "databricks"
    parameters: Mapping[str, str] = {"node": "i3.xlarge", "workers": "2", "version": "17.3.x-scala2.13"}

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return the Databricks CLI."""
        login = command("databricks", "current-user", "me")
        return [Tool("databricks", "https://docs.databricks.com/dev-tools/cli/install", login, "databricks auth login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Write the bundle to the work folder, deploy it, and run its job; the command waits for the end."""
        place = self.written(deployment)
        return [self._bundle(place, "deploy"), self._bundle(place, "run", "score")]

    def written(self, deployment: Deployment) -> Path:
        """Put the folder, and the bundle around it with the values of this deployment, into the work folder."""
        given, place = self.given(deployment), self._place(deployment)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(deployment.folder, place / "files")
        shutil.copyfile(deployment.infra / "spark" / BUNDLE, place / BUNDLE)
        values = {"name": deployment.name, "arguments": words(given), **{name: given[name] for name in self.parameters}}
        (place / VALUES).parent.mkdir(parents=True)
        (place / VALUES).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        return place

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Read the runs of the job."""
        return self.status(deployment)

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the job of the bundle with its address."""
        return [self._bundle(self._place(deployment), "summary")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the job and the bundle's files."""
        return [self._bundle(self._place(deployment), "destroy", "--auto-approve")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the job and the files."""
        return [Resource(deployment.name, "Databricks job"), Resource(deployment.name, "files in the workspace")]

    def _place(self, deployment: Deployment) -> Path:
        return (deployment.work / f"{deployment.name}.databricks").resolve()

    def _bundle(self, place: Path, *verb: str) -> Command:
        return command("databricks", "bundle", *verb, cwd=place)


DEPLOYER = Databricks()

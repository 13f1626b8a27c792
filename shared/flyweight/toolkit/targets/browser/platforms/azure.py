"""Copy the folder to the static website of a storage account; https://learn.microsoft.com/cli/azure/storage/blob."""

from __future__ import annotations

from flyweight.toolkit.targets.browser.static_host import TYPES, StaticHost
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool
from flyweight.toolkit.targets.naming import Rule

WEBSITE = "$web"  # https://learn.microsoft.com/azure/storage/blobs/storage-blob-static-website
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftstorage
ACCOUNTS = Rule("an account", r"[a-z0-9]{3,24}", "begin with a small letter or digit, followed by those, 3 to 24")


class Azure(StaticHost):
    """A folder in the website of the account that `group` names, which is there already."""

    platform = "azure"
    holder = "account"
    group_rule = ACCOUNTS

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return az."""
        install = "https://learn.microsoft.com/cli/azure/install-azure-cli"
        return [Tool("az", install, command("az", "account", "show"), "az login")]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Copy all files, and those whose types matter once more with them; files of an earlier release stay."""
        line = ["az", "storage", "blob", "upload-batch", *self._account(deployment), "--destination", WEBSITE]
        line += ["--destination-path", deployment.name, "--source", str(deployment.folder.resolve()), "--overwrite"]
        typed = [["--pattern", f"*.{name}", "--content-type", kind] for name, kind in TYPES.items()]
        return [command(*line, *which) for which in ([], *typed)]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the files."""
        line = ["az", "storage", "blob", "list", *self._account(deployment), "--container-name", WEBSITE]
        return [command(*line, "--prefix", f"{deployment.name}/", "--query", "[].name", "--output", "tsv")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the files; the account stays."""
        line = ["az", "storage", "blob", "delete-batch", *self._account(deployment), "--source", WEBSITE]
        return [command(*line, "--pattern", f"{deployment.name}/*")]

    def _account(self, deployment: Deployment) -> list[str]:
        return ["--account-name", deployment.group, "--auth-mode", "login"]


DEPLOYER = Azure()

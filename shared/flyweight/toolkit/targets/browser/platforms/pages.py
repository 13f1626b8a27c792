"""Copy the folder to Cloudflare Pages with wrangler, whose options are those of 4.80.0.

Pages reads the folder's `_headers`: https://developers.cloudflare.com/pages/configuration/headers/.
"""

from __future__ import annotations

from flyweight.toolkit.targets.browser.static_host import StaticHost
from flyweight.toolkit.targets.cloudflare import wrangler
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Resource, Tool

BRANCH = "main"  # of production: https://developers.cloudflare.com/pages/configuration/branch-build-controls/
# creates the project $0 where it is not there: wrangler fails at the second creation
CREATED = (
    'wrangler pages deployment list --project-name "$0" >/dev/null 2>&1 || '
    f'wrangler pages project create "$0" --production-branch {BRANCH}'
)


class Pages(StaticHost):
    """A project of the deployment's name, in the account that `group` names."""

    platform = "pages"
    holder = ""
    group_rule = wrangler.ACCOUNTS

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return wrangler."""
        return [wrangler.TOOL]

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the id of the account, unless the deployment names it."""
        return wrangler.account(deployment)

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Create the project, unless it is there, and upload the folder; Pages knows the types of its files."""
        created = command(*wrangler.words(deployment, "sh"), "-c", CREATED, deployment.name)
        line = [*self._pages(deployment), "deploy", str(deployment.folder.resolve()), "--project-name", deployment.name]
        return [created, command(*line, "--branch", BRANCH, "--commit-dirty")]

    def status(self, deployment: Deployment) -> list[Command]:
        """List the deployments with their addresses, which fails where there is no project."""
        line = [*self._pages(deployment), "deployment", "list", "--project-name", deployment.name]
        return [command(*line, "--environment", "production")]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the project with its deployments."""
        return [command(*self._pages(deployment), "project", "delete", deployment.name, "--yes")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the project."""
        return [Resource(deployment.name, "project of Pages")]

    def _pages(self, deployment: Deployment) -> list[str]:
        return [*wrangler.words(deployment), "pages"]


DEPLOYER = Pages()

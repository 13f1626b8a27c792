"""Deploy a Worker with wrangler, whose options are those of 4.80.0; https://developers.cloudflare.com/workers/wrangler/commands/.

A Worker's custom domain is not a part of its versions, and no command of wrangler prints it. So each deployment has the address
as its message, from which it is read again.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from flyweight import settings
from flyweight.settings import parts
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.cloudflare import wrangler
from flyweight.toolkit.targets.commands import Command, command, variable
from flyweight.toolkit.targets.deployment import Deployer, Deployment, Resource, Tool
from flyweight.toolkit.targets.naming import Rule

DOMAIN, ADDRESS = "domain", "ADDRESS"  # a parameter, and a shell variable
SECONDS = 20  # of a log that is not followed
# wrangler's own check admits more; https://developers.cloudflare.com/workers/platform/limits/#worker-name-length-and-format
NAMES = Rule("a Worker", r"[a-z0-9][a-z0-9-]{0,62}", "begin with a small letter or digit, followed by those and -, at most 63")
DOMAINS = Rule(
    "a domain", r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+",
    "begin with a small letter or digit: models.example.com, in a zone of the account",
)  # fmt: skip
VERSIONS = """sed -n 's/.*"version_id": "\\([^"]*\\)".*/\\1/p'"""
LIVE = f'wrangler deployments status --name "$0" --json | {VERSIONS}'
# of the deployment, or of its version
URL = """wrangler deployments status --name "$0" | sed -n 's|.*Message:.*\\(http[a-z0-9.:/-]*\\).*|\\1|p'"""
# wrangler lists the oldest deployment first; the live version may have been deployed more than once
EARLIER = (
    f'wrangler deployments list --name "$0" --json | {VERSIONS} | '
    "awk '{id[NR] = $0} END {for (n = 1; id[n] != id[NR]; n++) last = id[n]; print last}'"
)
TAIL = f'timeout {SECONDS} wrangler tail "$0" || test $? -eq 124'


class Workers(Deployer):
    """A Worker of the deployment's name, in the account that `group` names."""

    name = "cloudflare"
    name_rule = NAMES
    group_rule = wrangler.ACCOUNTS

    def tools(self, deployment: Deployment) -> list[Tool]:
        """Return wrangler."""
        return [wrangler.TOOL]

    def deploy(self, deployment: Deployment) -> list[Command]:
        """Upload the folder and send all requests to it; without a domain the Worker keeps the one that it has.

        :raises DeployFailed: a parameter is unknown, or the domain is not valid; or there are tags.
        """
        values = self._checked(deployment)
        domain = values.pop(DOMAIN, "")
        line = [*wrangler.words(deployment), "deploy", "--name", deployment.name]
        line += ["--domain", domain] if domain else []
        line += [word for name, value in values.items() for word in ("--var", f"{name}:{value}")]
        message = f"https://{domain}" if domain else variable(ADDRESS)
        known = [] if domain else [self._address(deployment)]
        return [*known, command(*line, "--message", message, cwd=deployment.folder)]

    def url(self, deployment: Deployment) -> Command:
        """Read the address from the message of the live deployment; it prints nothing without a domain."""
        return replace(self._shell(deployment, URL), first_line=True)

    def place(self, deployment: Deployment) -> tuple[str, ...]:
        """Return the account, if it is named: a Worker has no region."""
        return (deployment.group,) if deployment.group else ()

    def account(self, deployment: Deployment) -> list[Command]:
        """Read the id of the account, unless the deployment names it."""
        return wrangler.account(deployment)

    def live_label(self, deployment: Deployment) -> list[Command]:
        """Read the id of the version that answers."""
        return [replace(self._shell(deployment, LIVE), first_line=True)]

    def earlier_label(self, deployment: Deployment) -> list[Command]:
        """Read the id of the version that was live before the live one was, among the last ten deployments."""
        return [self._shell(deployment, EARLIER)]

    def roll_back(self, deployment: Deployment, label: str) -> list[Command]:
        """Send all requests to the earlier version, which has its own settings; the domain stays."""
        line = [*wrangler.words(deployment), "rollback", label, "--name", deployment.name, "--yes"]
        return [self._address(deployment), command(*line, "--message", variable(ADDRESS))]

    def logs(self, deployment: Deployment, since: str, follow: bool) -> list[Command]:
        """Show the log as it comes, for some seconds unless it is followed: wrangler reads no lines of the past."""
        if follow:
            return [command(*wrangler.words(deployment), "tail", deployment.name)]
        return [self._shell(deployment, TAIL)]

    def status(self, deployment: Deployment) -> list[Command]:
        """Read the live deployment: its time, its author and its version."""
        return [command(*wrangler.words(deployment), "deployments", "status", "--name", deployment.name)]

    def destroy(self, deployment: Deployment) -> list[Command]:
        """Remove the Worker with its versions; wrangler is not asked whether other Workers call it."""
        return [command(*wrangler.words(deployment), "delete", deployment.name, "--force")]

    def creates(self, deployment: Deployment) -> list[Resource]:
        """List the Worker and its domain."""
        domain = deployment.parameters.get(DOMAIN) or "DOMAIN"
        return [Resource(deployment.name, "Worker"), Resource(domain, "custom domain, with its DNS record", DOMAIN)]

    def settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the domain and all settings of a handler, which are variables of the Worker."""
        groups = (*settings.GROUPS, *parts.GROUPS)
        known = {f"FLYWEIGHT_{field.upper()}": "" for group in groups for field in group._fields}
        return {DOMAIN: "", **known, **deployment.parameters}

    def _checked(self, deployment: Deployment) -> dict[str, str]:
        """Return the parameters that are given.

        :raises DeployFailed: one is unknown, or the domain is not valid; or there are tags.
        """
        wrangler.refuse_tags(deployment, "a Worker")
        known = self.settings(replace(deployment, parameters={}))
        for name in deployment.parameters:
            if name not in known:
                near = "".join(f" ({one}?)" for one in get_close_matches(name, known, 1))
                raise DeployFailed(
                    f"a Worker has no parameter {name}{near}", "choose domain, or a setting such as FLYWEIGHT_CORS_ORIGINS"
                )
        if deployment.parameters.get(DOMAIN):
            DOMAINS.check(deployment.parameters[DOMAIN])
        return dict(deployment.parameters)

    def _address(self, deployment: Deployment) -> Command:
        return replace(self.url(deployment), into=ADDRESS)

    def _shell(self, deployment: Deployment, script: str) -> Command:
        """Return a command of a shell, in whose script `$0` is the Worker's name."""
        return command(*wrangler.words(deployment, "sh"), "-c", script, deployment.name)


DEPLOYER = Workers()

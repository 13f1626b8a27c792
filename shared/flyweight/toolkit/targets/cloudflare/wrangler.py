"""wrangler, Cloudflare's tool: its login, and the account that it works in; https://developers.cloudflare.com/workers/wrangler/."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment, Tool
from flyweight.toolkit.targets.naming import Rule

ACCOUNTS = Rule(
    "an account", r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", "begin with a letter or digit: it is the id that `wrangler whoami` prints"
)
SIGN_IN = "wrangler login; on a machine without a browser set CLOUDFLARE_API_TOKEN"
TOOL = Tool("wrangler", "npm install --global wrangler", command("wrangler", "whoami", "--json"), SIGN_IN)
# the first account of the login, unless the variable that wrangler reads names one
ACCOUNT = 'echo "${CLOUDFLARE_ACCOUNT_ID:-$(wrangler whoami --json | sed -n \'s/.*"id": "\\([^"]*\\)".*/\\1/p\')}"'


def words(deployment: Deployment, *words: str) -> list[str]:
    """Write a command line of wrangler, or of another program that runs it, in the account that `group` names."""
    account = ["env", f"CLOUDFLARE_ACCOUNT_ID={deployment.group}"] if deployment.group else []
    return [*account, *(words or ("wrangler",))]


def account(deployment: Deployment) -> list[Command]:
    """Read the account's id; [] if `group` names it."""
    return [] if deployment.group else [replace(command("sh", "-c", ACCOUNT), first_line=True)]


def refuse_tags(deployment: Deployment, what: str) -> None:
    """Check that no tags are given.

    :raises DeployFailed: there are some, which the place can't keep.
    """
    if deployment.tags:
        raise DeployFailed(f"{what} has no tags", "leave out --tag")

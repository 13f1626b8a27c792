"""Function keys, and access tokens of Entra ID."""

from __future__ import annotations

import shutil

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import AuthorizationMethod, Token, in_header
from flyweight.toolkit.targets.commands import command, output

HOSTS = r"\.azurewebsites\.net$"


def entra_token(resource: str) -> str:
    """Fetch an access token for an application of Entra ID, by `az`.

    :raises DeployFailed: no application is named, or `az` is not here.
    """
    if not resource:
        raise DeployFailed("a token of Entra ID is for an application", "name it: --resource api://CLIENT-ID")
    if not shutil.which("az"):
        raise DeployFailed("a token of Entra ID comes from `az`, which is not installed", "install the Azure CLI, then az login")
    words = ["az", "account", "get-access-token", "--resource", resource, "--query", "accessToken", "--output", "tsv"]
    return output(command(*words))


METHODS = (
    AuthorizationMethod("azure", lambda asked: in_header("x-functions-key", asked.key, "the function key"), HOSTS),
    AuthorizationMethod("entra", lambda asked: Token(lambda: entra_token(asked.resource))),
)

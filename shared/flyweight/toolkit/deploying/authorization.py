"""Choose the authorization of calls, which returns the headers for a request.

The URL's host determines the authorization for the providers' own domains; a custom domain needs `--auth`. Methods of a single
provider are defined in its target (`Deployer.authorizations`), general methods here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import Authorization, AuthorizationMethod, Credentials, in_header

AUTO, NONE = "auto", "none"
GENERAL = (
    AuthorizationMethod(NONE, lambda credentials: lambda method, url, body: {}),
    AuthorizationMethod("api-key", lambda credentials: in_header("x-api-key", credentials.key, "the API key")),
    AuthorizationMethod(
        "bearer", lambda credentials: in_header("authorization", credentials.key and f"Bearer {credentials.key}", "the token")
    ),
)
OF_CALLERS = ("bearer", "api-key")  # methods whose key must come from the caller
LOCAL = ("127.0.0.1", "localhost", "::1")


def chosen(name: str, url: str, key: str = "", region: str = "", resource: str = "") -> Authorization:
    """Create the authorization with this name, or for `auto` the one that the URL's host needs.

    :raises DeployFailed: the authorization does not exist, a credential is missing, or the URL is not HTTPS.
    """
    name = by_host(url) if name == AUTO else name
    parts = urlsplit(url)
    if name != NONE and parts.scheme != "https" and parts.hostname not in LOCAL:
        raise DeployFailed(f"{url} is not encrypted, so no credential is sent to it", "use https, or --auth none")
    method = next((method for method in methods() if method.name == name), None)
    if method is None:
        raise DeployFailed(f"the authorization {name!r} does not exist", f"choose one of {', '.join(names())}")
    return method.make(Credentials(url, key, region, resource))


def by_host(url: str) -> str:
    """Return the name of the authorization that a provider's host needs; `none` for other hosts."""
    host = urlsplit(url).hostname or ""
    return next((method.name for method in methods() if method.hosts and re.search(method.hosts, host)), NONE)


def methods() -> list[AuthorizationMethod]:
    """List all authorizations: those of each target, then the general ones."""
    deployers = [target.deployer for target in targets.all_targets() if target.has("deployment")]
    return [*(method for deployer in deployers for method in deployer.authorizations), *GENERAL]


def names() -> list[str]:
    """List the names that `flyweight call --auth` takes."""
    return [AUTO, *dict.fromkeys(method.name for method in methods())]

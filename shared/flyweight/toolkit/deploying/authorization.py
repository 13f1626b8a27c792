"""How a call proves its caller: a request goes in, headers come out.

`chosen` reads the URL's host, where each provider's own domains tell; a domain of one's own needs `--auth`. What one provider
asks for stands in its target (`Deployer.authorizations`); what any endpoint may ask for stands here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flyweight.toolkit import targets
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import Authorization, AuthorizationMethod, Credentials, in_header

AUTO, NONE = "auto", "none"
GENERAL = (
    AuthorizationMethod(NONE, lambda asked: lambda method, url, body: {}),
    AuthorizationMethod("api-key", lambda asked: in_header("x-api-key", asked.key, "the API key")),
    AuthorizationMethod("bearer", lambda asked: in_header("authorization", asked.key and f"Bearer {asked.key}", "the token")),
)
OF_CALLERS = ("bearer", "api-key")  # those whose key only the caller has
LOCAL = ("127.0.0.1", "localhost", "::1")


def chosen(name: str, url: str, key: str = "", region: str = "", resource: str = "") -> Authorization:
    """Make the authorization of a name, or the one that the URL's host asks for where the name is `auto`.

    :raises DeployFailed: there is no such authorization, a credential is missing, or the URL is not HTTPS.
    """
    name = by_host(url) if name == AUTO else name
    parts = urlsplit(url)
    if name != NONE and parts.scheme != "https" and parts.hostname not in LOCAL:
        raise DeployFailed(f"{url} is not encrypted, and a credential would be sent to it", "use https, or --auth none")
    method = next((method for method in methods() if method.name == name), None)
    if method is None:
        raise DeployFailed(f"there is no authorization {name!r}", f"choose one of {', '.join(names())}")
    return method.make(Credentials(url, key, region, resource))


def by_host(url: str) -> str:
    """Name the authorization that the provider of this host asks for; `none` for a host of no provider."""
    host = urlsplit(url).hostname or ""
    return next((method.name for method in methods() if method.hosts and re.search(method.hosts, host)), NONE)


def methods() -> list[AuthorizationMethod]:
    """List all authorizations: those of each target, then the general ones."""
    deployers = [target.deployer for target in targets.all_targets() if target.has("deployment")]
    return [*(method for deployer in deployers for method in deployer.authorizations), *GENERAL]


def names() -> list[str]:
    """List the names that `flyweight call --auth` takes."""
    return [AUTO, *dict.fromkeys(method.name for method in methods())]

"""The building blocks of each target's authorization of calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from flyweight.toolkit.errors import DeployFailed

Headers = dict[str, str]
Authorization = Callable[[str, str, bytes], Headers]  # from method, URL and body to the headers that authorize the request

LIFETIME = 45 * 60.0  # seconds for which a token is reused; identity tokens are valid for an hour


@dataclass(frozen=True)
class Credentials:
    """The values from which an authorization is created.

    `url`: of the endpoint; `key`: the caller's key or token, "" without one; `region`: of the endpoint, "" to read it from the
    host; `resource`: the application that a token is for.
    """

    url: str
    key: str = ""
    region: str = ""
    resource: str = ""


@dataclass(frozen=True)
class AuthorizationMethod:
    """A method of authorization, with its name in `flyweight call --auth`.

    `hosts`: a regular expression of the hosts that need it, "" if no host determines it.
    """

    name: str
    make: Callable[[Credentials], Authorization]
    hosts: str = ""


class Token:
    """A bearer token that is fetched on first use and renewed before it expires; threads can share it."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch, self._lock = fetch, Lock()
        self._token, self._until = "", 0.0

    def __call__(self, method: str, url: str, body: bytes) -> Headers:
        """Return the header with the token."""
        with self._lock:
            if monotonic() >= self._until:
                self._token, self._until = self._fetch(), monotonic() + LIFETIME
        return {"authorization": f"Bearer {self._token}"}


def in_header(name: str, value: str, what: str) -> Authorization:
    """Create an authorization that adds one header.

    :param what: a description of the value, for the error.
    :raises DeployFailed: the value is empty.
    """
    if not value:
        raise DeployFailed(f"the endpoint needs {what}", "set FLYWEIGHT_KEY to it, or give a file: --key-file FILE")
    return lambda method, url, body: {name: value}

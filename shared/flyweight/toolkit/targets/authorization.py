"""How a call proves its caller: the parts that the authorizations of all targets are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from flyweight.toolkit.errors import DeployFailed

Headers = dict[str, str]
Authorization = Callable[[str, str, bytes], Headers]  # from method, URL and body to the headers that prove it

LIFETIME = 45 * 60.0  # seconds that a token is used for; identity tokens hold for an hour


@dataclass(frozen=True)
class Credentials:
    """What an authorization is made of.

    `url`: of the endpoint; `key`: a key or token of the caller's, "" without one; `region`: of the endpoint, "" for its host's
    own; `resource`: the application that a token is for.
    """

    url: str
    key: str = ""
    region: str = ""
    resource: str = ""


@dataclass(frozen=True)
class AuthorizationMethod:
    """One way to prove the caller, as `flyweight call --auth` names it.

    `hosts`: a regular expression of the hosts that ask for it, "" if hosts do not tell.
    """

    name: str
    make: Callable[[Credentials], Authorization]
    hosts: str = ""


class Token:
    """A bearer token, fetched once and again before it ends; threads share it."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch, self._lock = fetch, Lock()
        self._token, self._until = "", 0.0

    def __call__(self, method: str, url: str, body: bytes) -> Headers:
        """The header with the token."""
        with self._lock:
            if monotonic() >= self._until:
                self._token, self._until = self._fetch(), monotonic() + LIFETIME
        return {"authorization": f"Bearer {self._token}"}


def in_header(name: str, value: str, what: str) -> Authorization:
    """Make an authorization that is one header.

    :param what: the value in words, for the error.
    :raises DeployFailed: the value is empty.
    """
    if not value:
        raise DeployFailed(f"the endpoint asks for {what}", "set FLYWEIGHT_KEY to it, or name a file: --key-file FILE")
    return lambda method, url, body: {name: value}

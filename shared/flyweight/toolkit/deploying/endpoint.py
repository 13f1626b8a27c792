"""One deployed endpoint: a method, a path and a body go in, the answer comes out, asked again where that may help."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import urllib3

from flyweight import __version__
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import Authorization

# What another try may mend: throttled, or a gateway or an instance in trouble. A prediction has no effect, so that asking
# twice is the same as asking once.
AGAIN = frozenset((429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Reply:
    """What came back at last; `tries` counts all."""

    status: int
    headers: dict[str, str]
    body: bytes
    tries: int = 1

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document, or what says as much."""
        try:
            document = json.loads(self.body)
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
        return {"title": f"status {self.status}", "status": self.status, "detail": self.body[:200].decode(errors="replace")}


class Endpoint:
    """A client that any number of threads may share.

    Waits double from `wait` seconds on, with as much again of chance, at most `longest`; a Retry-After is kept to within that.
    """

    def __init__(
        self, url: str, authorize: Authorization, *, retries: int = 5, timeout: float = 30.0, wait: float = 0.5,
        longest: float = 20.0, threads: int = 8,
    ) -> None:  # fmt: skip
        self.url = url.rstrip("/")
        self._authorize = authorize
        retry = urllib3.Retry(
            total=retries, connect=retries, read=retries, status=retries, other=0, redirect=0,
            allowed_methods=None, status_forcelist=AGAIN, raise_on_status=False,
            backoff_factor=wait, backoff_max=longest, backoff_jitter=wait,
            respect_retry_after_header=True, retry_after_max=int(longest),
        )  # fmt: skip
        self._pool = urllib3.PoolManager(maxsize=threads, retries=retry, timeout=urllib3.Timeout(connect=10.0, read=timeout))

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Ask, and return the answer with any status.

        :raises DeployFailed: there was no answer.
        """
        url = f"{self.url}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = self._authorize(method, url, body)
        agent = {"user-agent": f"flyweight/{__version__}"}
        try:
            answer = self._pool.request(method, url, body=body or None, headers={**agent, **named, **signed}, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise DeployFailed(
                f"{self.url} does not answer: {reason}", "check the address, and whether it is reached from here"
            ) from None
        tries = 1 + len(answer.retries.history) if answer.retries else 1
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data, tries)

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

"""Send requests to a deployed endpoint, with retries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import urllib3

from flyweight import __version__
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import Authorization

# Statuses to retry: throttling, and failures of a gateway or an instance. A prediction has no side effect, so that
# repeating one is safe.
AGAIN = frozenset((429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Reply:
    """The last answer; `tries` counts all attempts."""

    status: int
    headers: dict[str, str]
    body: bytes
    tries: int = 1

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document, or one made from the status and the body."""
        try:
            document = json.loads(self.body)
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
        return {"title": f"status {self.status}", "status": self.status, "detail": self.body[:200].decode(errors="replace")}


class Endpoint:
    """A client that threads can share.

    Delays between retries double from `wait` seconds, with up to as much random delay added, at most `longest` seconds; a
    Retry-After is honoured up to `longest`.
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
        """Send a request, and return the answer with any status.

        :raises DeployFailed: the endpoint did not answer.
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
                f"{self.url} does not answer: {reason}", "check the URL, and that this machine can reach it"
            ) from None
        tries = 1 + len(answer.retries.history) if answer.retries else 1
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data, tries)

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

"""The entry of a Python Worker, whose class `Default` the runtime makes for each request.

https://developers.cloudflare.com/workers/languages/python/ describes it, and .../workers/runtime-apis/bindings/ the environment.
What is imported here is in the memory snapshot that Cloudflare takes at deployment; settings are known with the first request.
"""

import os

from cloudflare_message import read, settings_of
from cloudflare_request import decode, encode
from workers import WorkerEntrypoint  # type: ignore[import-not-found]  # a module of the runtime

from flyweight.handler import bind
from flyweight.serving import logs
from flyweight.settings.variables import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

bound: "list[Callable[..., Any]]" = []


def answer(environment: "Any") -> "Callable[..., Any]":
    """Return what answers messages; the first call reads the settings of the deployment and loads the model.

    :raises FlyweightError: a setting has a value with no meaning, or the model can't be loaded.
    """
    if not bound:
        take(settings_of(environment))
        folder = os.path.dirname(os.path.abspath(__file__))
        bound.append(bind(decode, encode, folder=folder, logs={"": lambda: logs.line({})}))
    return bound[0]


class Default(WorkerEntrypoint):  # type: ignore[misc]
    """The worker."""

    async def fetch(self, request: "Any") -> "Any":
        """Answer a request of Fetch, https://fetch.spec.whatwg.org/#requests, by a response."""
        return answer(self.env)(await read(request))

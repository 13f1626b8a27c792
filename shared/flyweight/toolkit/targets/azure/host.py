"""Stand for the Functions host in front of a custom handler: start it, wait until it answers, and pass HTTP requests on.

https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers describes it, with `enableProxyingHttpRequest`. What
that page leaves open is in the host's source, https://github.com/Azure/azure-functions-host: `DefaultHttpProxyService` writes the
invocation's id over a header of the caller, and `DefaultHttpWorkerService` asks for / every 25 ms until it gets any answer.
"""

import http.client
import socket
import uuid
from collections.abc import Callable, Mapping
from time import perf_counter, sleep
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.requests import body_of, field_of
from flyweight.toolkit.targets.runtime import Answer

# App settings that stand over host.json: https://learn.microsoft.com/azure/azure-functions/functions-host-json
SETTING = "AzureFunctionsJobHost__"
SCRIPT = f"{SETTING}customHandler__description__arguments__0"
# The profile, in preview, has the host start Python where the app's runtime is Python, and pass on each request as it is:
# https://learn.microsoft.com/azure/azure-functions/self-hosted-mcp-servers
CUSTOM: Mapping[str, str] = {
    "AzureWebJobsFeatureFlags": "EnableMcpCustomHandlerPreview",
    f"{SETTING}configurationProfile": "mcp-custom-handler",
    f"{SETTING}customHandler__description__defaultExecutablePath": "python",
    SCRIPT: "custom_handler.py",
}
INVOCATION = "x-ms-invocation-id"
POLL_SECONDS = 0.025


class Host:
    """The host's side of one custom handler, on a port that is free now."""

    def __init__(self, seconds: float) -> None:
        """:param seconds: for which the handler may start or answer."""
        self._seconds = seconds
        self._connection: http.client.HTTPConnection | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]

    def variables(self) -> dict[str, str]:
        """Return the variables that the host sets for a custom handler."""
        return {"FUNCTIONS_CUSTOMHANDLER_PORT": str(self._port), "FUNCTIONS_CUSTOMHANDLER_WORKER_ID": str(uuid.uuid4())}

    def exchange(self, event: Any, check: Callable[[], None]) -> Answer:
        """Pass a request on, and return the answer.

        :param event: "method" and "url", perhaps "headers" and a body.
        :param check: raises if the handler has ended.
        :raises RuntimeFailed: the event is of another trigger, or the handler does not start.
        :raises OSError: the connection breaks.
        :raises HTTPException: the answer is not HTTP.
        """
        if "function" in event:
            message = f"a custom handler answers HTTP alone, and the event is for the function {event['function']}"
            raise RuntimeFailed(message, "choose --client platform")
        connection = self._connection = self._connection or self._connect(check)
        whole = {name.lower(): value for name, value in event.get("headers", {}).items()} | {INVOCATION: str(uuid.uuid4())}
        method, rest = field_of(event, "method"), field_of(event, "url").partition("://")[2]
        connection.request(method, rest[len(rest.partition("/")[0]) :] or "/", body_of(event) or None, whole)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content, perf_counter())

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self, check: Callable[[], None]) -> http.client.HTTPConnection:
        """Ask for / until the handler answers; any answer will do.

        :raises RuntimeFailed: there is no answer in time.
        """
        deadline = perf_counter() + self._seconds
        while perf_counter() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._seconds)
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
                return connection
            except ConnectionRefusedError:
                connection.close()
                check()
                sleep(POLL_SECONDS)
        raise RuntimeFailed(f"the custom handler does not listen after {self._seconds:g} seconds", "see the end of its output")

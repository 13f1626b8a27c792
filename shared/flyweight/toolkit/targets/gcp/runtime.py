"""Run Google's functions-framework with gunicorn over plain HTTP, as Cloud Run functions do."""

import http.client
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from flyweight.toolkit.targets.requests import body_fields, body_of
from flyweight.toolkit.targets.runtime import Answer
from flyweight.toolkit.targets.runtime import Runtime as Base

ENTRY = "predict"


class Runtime(Base):
    """A folder with `main.py` and its function `predict`; an event is a plain request."""

    PACKAGES = ("functions-framework",)
    EXTRA = "gcp"
    MAX_REQUEST = MAX_ANSWER = 32 * 1024 * 1024

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._port = _free_port()
        self._connection: http.client.HTTPConnection | None = None

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Write a plain request with its body as text, or in base64."""
        whole = {"method": request["method"], "path": request["path"], "headers": request.get("headers", {})}
        return {**whole, **body_fields(body_of(request))}

    @staticmethod
    def settings(event: Any) -> dict[str, str]:
        """Return the settings that the event needs."""
        return dict(event.get("settings", {}))

    def command(self) -> list[str]:
        """Run the framework's command."""
        return [self.python, "-m", "functions_framework"]

    def variables(self) -> dict[str, str]:
        """Return the variables that the buildpack's image and Cloud Run set."""
        return {
            "FUNCTION_TARGET": ENTRY,
            "FUNCTION_SOURCE": str(self.folder / "main.py"),
            "FUNCTION_SIGNATURE_TYPE": "http",
            "HOST": "127.0.0.1",
            "PORT": str(self._port),
            "K_SERVICE": self.folder.name,
            "K_REVISION": f"{self.folder.name}-00001",
        }

    def exchange(self, event: Any) -> Answer:
        """Send the event over one connection that is kept open.

        :raises RuntimeFailed: the connection breaks.
        """
        if self._connection is not None and select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()  # gunicorn closes a connection after two idle seconds
            self._connection = None
        connection = self._connection or self._connect()
        try:
            connection.request(event["method"], event["path"], body_of(event) or None, event.get("headers", {}))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self.failed(f"the connection broke: {error!r}") from None
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, content, perf_counter())

    def answering_process(self) -> int:
        """Return the id of the worker that gunicorn's master has forked."""
        master = super().answering_process()
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        except OSError:
            return master
        return int(children[0]) if children else master

    def close(self) -> None:
        """Close the connection, then stop master and worker."""
        if self._connection is not None:
            self._connection.close()
        super().close()

    def _connect(self) -> http.client.HTTPConnection:
        """Connect to the server once it listens.

        :raises RuntimeFailed: the server does not listen in time.
        """
        deadline = perf_counter() + self.timeout
        while perf_counter() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self.timeout)
            try:
                connection.connect()
            except ConnectionRefusedError:
                connection.close()
                self.fail_if_ended()
                sleep(0.001)
                continue
            self._connection = connection
            return connection
        raise self.failed(f"the server does not listen after {self.timeout:g} seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""Run a folder whose process answers plain HTTP on the port of the variable PORT, and send it plain requests."""

import http.client
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from flyweight.toolkit.targets.requests import body_fields, body_of, field_of
from flyweight.toolkit.targets.runtime import Answer, Runtime

# the smallest server of the standard library, to compare a container or a machine's service with
IDLE = """import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Idle(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST


HTTPServer(("127.0.0.1", int(os.environ.get("PORT") or os.environ["AIP_HTTP_PORT"])), Idle).serve_forever()
"""


class HttpRuntime(Runtime):
    """A folder with a server; an event is a plain request."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.port = free_port()
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

    def exchange(self, event: Any) -> Answer:
        """Send the event over one connection that is kept open.

        :raises RuntimeFailed: the event is no request, or the connection breaks.
        """
        method, path = field_of(event, "method"), field_of(event, "path")
        sock = None if self._connection is None else self._connection.sock  # None also after an answer that ended the connection
        if self._connection is not None and (sock is None or select.select([sock], [], [], 0)[0]):
            self._connection.close()  # gunicorn closes a connection after two idle seconds
            self._connection = None
        connection = self._connection or self._connect()
        try:
            connection.request(method, path, body_of(event) or None, event.get("headers", {}))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._connection = None
            raise self.failed(f"the connection broke: {error!r}") from None
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, content, perf_counter())

    def close(self) -> None:
        """Close the connection, then stop the process."""
        if self._connection is not None:
            self._connection.close()
        super().close()

    def _connect(self) -> http.client.HTTPConnection:
        """Connect to the server once it listens.

        :raises RuntimeFailed: the server does not listen in time.
        """
        deadline = perf_counter() + self.timeout
        while perf_counter() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
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


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def first_child(process: int) -> int:
    """Return the id of the worker that a server's first process has forked; that of the process itself without one."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return process
    return int(children[0]) if children else process

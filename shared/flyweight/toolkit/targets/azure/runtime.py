"""Azure's own worker library (azure-functions-runtime), driven over a pipe instead of the host's gRPC; or our custom handler.

The library needs Python 3.13; on older Pythons the function object of the azure-functions SDK is called, and the description
says so. `worker.py` is the process at the other end. `host.py` stands for the host in front of a custom handler.
"""

import http.client
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from select import select
from time import perf_counter
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.azure.host import CUSTOM, SCRIPT, Host
from flyweight.toolkit.targets.requests import body_fields, body_of, field_of
from flyweight.toolkit.targets.runtime import Answer
from flyweight.toolkit.targets.runtime import Runtime as Base

CHILD = Path(__file__).with_name("worker.py")
IDLE = """import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="{*path}", methods=["POST"])
def predict(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("{}", mimetype="application/json")
"""
HOST = "penguins.azurewebsites.net"  # of the requests that `wrap` writes


class Runtime(Base):
    """A folder with `function_app.py`, or with a custom handler.

    An event is {"method", "url", "headers", "params", "body"}, or as `exchange` says.

    A body may also be another JSON value than a text, or bytes in base64 under "body_base64".
    """

    PACKAGES: tuple[str, ...] = ("azure-functions-runtime", "azure-functions")
    EXTRA = "azure"
    CLIENTS: Mapping[str, Mapping[str, str]] = {"platform": {}, "own": CUSTOM}
    EMPTY: Mapping[str, str] = {"function_app.py": IDLE}
    MAX_REQUEST = MAX_ANSWER = 100 * 1024 * 1024

    def __init__(self, folder: Path, **options: Any) -> None:
        self._script = (options.get("environ") or {}).get(SCRIPT, "")
        if self._script:
            self.PACKAGES = ()  # a custom handler needs none
        super().__init__(folder, **options)
        self._host = Host(self.timeout)
        if self._script:
            self.description = f"flyweight's custom handler {self.description}"
        self._child_reads, requests = os.pipe()
        answers, self._child_writes = os.pipe()
        self._requests: IO[bytes] = open(requests, "wb")
        self._answers: IO[bytes] = open(answers, "rb")

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Wrap a plain request as the host passes it to the worker: with its whole URL and the parameters of its route."""
        path = request["path"].partition("?")[0].lstrip("/")
        return {
            "method": request["method"],
            "url": f"https://{HOST}{request['path']}",
            "headers": {"Host": HOST, **{name.title(): value for name, value in request.get("headers", {}).items()}},
            "params": {"path": path} if path else {},
            **body_fields(body_of(request)),
        }

    def command(self) -> list[str]:
        """Run the child (-P, so that its own folder is not on the path), or the script that the settings name.

        :raises RuntimeFailed: the folder has no such script.
        """
        if self._script:
            if not (self.folder / self._script).is_file():
                message = f"{self.folder} has no {self._script}, which the custom handler starts with"
                raise RuntimeFailed(message, "build the folder again: flyweight build azure --model FILE")
            return [self.python, self._script]
        return [self.python, "-P", str(CHILD), str(self.folder), str(self._child_reads), str(self._child_writes)]

    def variables(self) -> dict[str, str]:
        """What the host sets."""
        return {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FUNCTIONS_EXTENSION_VERSION": "~4",
            "WEBSITE_SITE_NAME": self.folder.name,
            "AzureWebJobsScriptRoot": str(self.folder),
            **(self._host.variables() if self._script else {}),
        }

    @staticmethod
    def settings(event: Any) -> dict[str, str]:
        """The settings under which the app has the event's function."""
        return dict(event.get("settings", {}))

    def descriptors(self) -> tuple[int, ...]:
        """The child's ends of the two pipes."""
        return self._child_reads, self._child_writes

    def exchange(self, event: Any) -> Answer:
        """A line of JSON and the body to the child, and the same back; a custom handler gets the request as it is.

        An event is an HTTP request, or for a function with another trigger `{"function": NAME}` with the `inputData` and the
        `triggerMetadata` that the host sends, or with a `body` of JSON that stands for the input.

        :raises RuntimeFailed: the function fails, or does not answer in time.
        """
        if self._script:
            return self._passed_on(event)
        body = body_of(event)
        request = {
            "id": str(uuid.uuid4()),
            "length": len(body),
            **(_invocation(event) if "function" in event else _http(event)),
        }
        try:
            self._requests.write(json.dumps(request).encode() + b"\n" + body)
            self._requests.flush()
        except BrokenPipeError:
            self.fail_if_ended()
        self._wait()
        reply = json.loads(self._answers.readline() or b'{"error": "it closed the pipe"}')
        if "error" in reply:
            raise self.failed(f"the function failed: {reply['error']}")
        content = self._answers.read(reply["length"])
        headers = {name.lower(): value for name, value in reply["headers"].items()}
        return Answer(reply["status"], headers, content, perf_counter())

    def close(self) -> None:
        """End the process, then close the pipes."""
        super().close()
        self._host.close()
        self._requests.close()
        self._answers.close()
        for descriptor in (self._child_reads, self._child_writes):
            os.close(descriptor)

    def _passed_on(self, event: Any) -> Answer:
        """Send an event to the custom handler.

        :raises RuntimeFailed: the handler does not answer, or the event is of another trigger than HTTP.
        """
        try:
            return self._host.exchange(event, self.fail_if_ended)
        except (OSError, http.client.HTTPException) as error:
            raise self.failed(f"the custom handler's connection broke: {error!r}") from None

    def _wait(self) -> None:
        """Wait for the answer.

        :raises RuntimeFailed: there is no answer in time.
        """
        deadline = perf_counter() + self.timeout
        while not select([self._answers], [], [], 0.1)[0]:
            self.fail_if_ended()
            if perf_counter() > deadline:
                raise self.failed(f"no answer within {self.timeout:g} seconds")


def _invocation(event: Any) -> dict[str, Any]:
    return {
        "function": event["function"],
        "inputData": event.get("inputData", []),
        "triggerMetadata": event.get("triggerMetadata", {}),
    }


def _http(event: Any) -> dict[str, Any]:
    method, address = field_of(event, "method"), field_of(event, "url")
    url = urlsplit(address)
    params = event.get("params", {"path": url.path.lstrip("/")})
    headers = event.get("headers", {})
    return {
        "method": method,
        "url": address,
        "headers": headers,
        "params": params,
        "query": dict(parse_qsl(url.query)),
    }

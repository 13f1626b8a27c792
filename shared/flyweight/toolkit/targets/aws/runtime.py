"""Run AWS Lambda's own runtime client (awslambdaric), or flyweight's, against a Runtime API on this machine.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import base64
import json
import os
import threading
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from queue import Empty, SimpleQueue
from socketserver import StreamRequestHandler, ThreadingTCPServer
from time import perf_counter, time
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.aws import events, payloads
from flyweight.toolkit.targets.runtime import Answer
from flyweight.toolkit.targets.runtime import Runtime as Base

ENTRY = "app.lambda_handler"
TASK = "/var/task/"  # where Lambda unpacks a function
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"  # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
OWN = f"{TASK}flyweight_wrapper"
IDLE = """def lambda_handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
"""


class Runtime(Base):
    """A folder with `app.py` and its `lambda_handler`; an event is any JSON value."""

    PACKAGES = ("awslambdaric",)
    EXTRA = "aws"
    CLIENTS: Mapping[str, Mapping[str, str]] = {"platform": {}, "own": {WRAPPER: OWN}}
    EMPTY: Mapping[str, str] = {"app.py": IDLE}
    SHAPES = events.SHAPES
    MAX_REQUEST, MAX_ANSWER = payloads.SYNCHRONOUS, payloads.ANSWER

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Convert a plain request as the sender of a shape does."""
        return events.wrap(request, shape)

    @classmethod
    def carrier(cls, event: Any) -> tuple[str, int]:
        """Name what carries an event to the function: the kind of invocation, or a load balancer."""
        return payloads.carrier(event)

    @staticmethod
    def size(event: Any) -> int:
        """Count the bytes of the event's JSON, which Lambda counts."""
        return len(json.dumps(event).encode())

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        if self._environ.get(WRAPPER) == OWN:
            self.description = f"flyweight's client {self.description[self.description.index('on Python') :]}"
        if self._environ.get("FLYWEIGHT_STREAMING") == "true":
            self.MAX_ANSWER = payloads.STREAMED  # senders that take no streams are held to less by the function itself
        traced = "AWS_XRAY_DAEMON_ADDRESS" in self._environ  # if an X-Ray daemon listens
        self._api = _RuntimeApi(self.timeout, traced)

    def command(self) -> list[str]:
        """Run the runtime client as Lambda's bootstrap does, by the wrapper if the function has one.

        :raises RuntimeFailed: the wrapper is not an executable file.
        """
        usual = [self.python, "-m", "awslambdaric", ENTRY]
        wrapper = self._environ.get(WRAPPER, "")
        if not wrapper:
            return usual
        path = self.folder / wrapper.removeprefix(TASK)
        if not os.access(path, os.X_OK):
            words = f"{WRAPPER} names {wrapper}, which is not an executable file in {self.folder}"
            raise RuntimeFailed(words, "build the folder again: flyweight build aws --model FILE")
        return [str(path), *usual]

    def variables(self) -> dict[str, str]:
        """Return Lambda's reserved variables."""
        version = self.description.split()[-1].rpartition(".")[0]
        return {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
            "_HANDLER": ENTRY,
            "LAMBDA_TASK_ROOT": str(self.folder),
            "AWS_LAMBDA_FUNCTION_NAME": self.folder.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def exchange(self, event: Any) -> Answer:
        """Offer the event as the process's next invocation, and wait for the answer that it posts.

        :raises RuntimeFailed: the function fails, or does not answer in time.
        """
        self._api.events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        deadline = perf_counter() + self.timeout
        while perf_counter() < deadline:
            try:
                kind, body, arrived = self._api.posts.get(timeout=0.1)
            except Empty:
                self.fail_if_ended()
                continue
            if kind != "response":
                raise self.failed(_failure(kind, body))
            return _answer(body, event, arrived)
        raise self.failed(f"no answer within {self.timeout:g} seconds")

    def hold_restore(self) -> threading.Event:
        """Hold the process in its SnapStart snapshot until the returned event is set."""
        self._api.may_restore.clear()
        return self._api.may_restore

    def close(self) -> None:
        """Stop the process, then the Runtime API."""
        super().close()
        self._api.close()


class _RuntimeApi(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, timeout: float, traced: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.sampled = int(traced)
        self.seconds_to_live = timeout
        self.may_restore = threading.Event()  # under SnapStart: set when the snapshot may be restored
        self.may_restore.set()
        self.events: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        self.posts: SimpleQueue[tuple[str, bytes, float]] = SimpleQueue()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of connections that ended with their process."""

    def close(self) -> None:
        self.events.put(None)  # releases a thread that waits for an event
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Exchange(StreamRequestHandler):
    """A connection of the function. Not by http.server: the time that it takes to read headers would count as the function's."""

    server: _RuntimeApi
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer one request after the other."""
        while line := self.rfile.readline():
            method, path, _ = line.decode("latin-1").split()
            headers = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            if method == "POST":
                self._take(path, headers)
            elif not path.endswith("/invocation/next"):  # /restore/next, under SnapStart
                self.server.may_restore.wait(self.server.seconds_to_live)
                self._reply(200, {}, b"")
            elif (event := self.server.events.get()) is not None:
                self._offer(*event)
            else:
                return

    def _offer(self, identity: str, payload: bytes) -> None:
        part = identity.replace("-", "")
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": identity,
            "Lambda-Runtime-Deadline-Ms": str(int(1000 * (time() + self.server.seconds_to_live))),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:local",
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time()):08x}-{part[:24]};Parent={part[-16:]};Sampled={self.server.sampled}",
        }
        self._reply(200, headers, payload)

    def _take(self, path: str, headers: Mapping[str, str]) -> None:
        if headers.get("transfer-encoding") == "chunked":
            return self._take_stream()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        kind = "/".join(path.rsplit("/", 2)[-2:]) if path.endswith("/error") else "response"
        if len(body) > payloads.ANSWER:
            refusal = {"errorType": "RequestEntityTooLarge", "errorMessage": payloads.REFUSAL}
            self.server.posts.put(("response/error", json.dumps(refusal).encode(), perf_counter()))
            return self._reply(413, {"Content-Type": "application/json"}, json.dumps(refusal).encode())
        self.server.posts.put((kind, body, perf_counter()))
        return self._reply(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')

    def _take_stream(self) -> None:
        """Take an answer that is sent while it is made, as the caller of a function URL gets it.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
        """
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        trailers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(":")
            trailers[name.lower()] = value.strip()
        if error := trailers.get("lambda-runtime-function-error-body"):
            self.server.posts.put(("response/error", base64.b64decode(error), perf_counter()))
        else:
            prelude, _, body = b"".join(parts).partition(bytes(8))
            whole = {**json.loads(prelude), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
            self.server.posts.put(("response", json.dumps(whole).encode(), perf_counter()))
        self._reply(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')

    def _reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        lines = [f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{''.join(lines)}\r\n"
        self.wfile.write(head.encode("latin-1") + body)  # in one packet: two would cost 40 ms (Nagle's algorithm, delayed ACK)


def _answer(body: bytes, event: Any, arrived: float) -> Answer:
    """Parse an HTTP answer; a direct answer is only a body, and has a status only if it is a problem document."""
    try:
        document = json.loads(body)
    except ValueError:
        return Answer(200, {}, body, arrived)
    if not isinstance(document, dict) or "statusCode" not in document:
        status = document.get("status") if isinstance(document, dict) else None
        return Answer(status if isinstance(status, int) else 200, {}, body, arrived)
    headers = {name.lower(): ", ".join(values) for name, values in document.get("multiValueHeaders", {}).items()}
    headers.update({name.lower(): str(value) for name, value in document.get("headers", {}).items()})
    text = document.get("body") or ""
    content = base64.b64decode(text) if document.get("isBase64Encoded") else text.encode()
    return Answer(int(document["statusCode"]), headers, content, arrived)


def _failure(kind: str, body: bytes) -> str:
    stage = "while it was imported" if kind == "init/error" else "on this event"
    try:
        error = json.loads(body)
    except ValueError:
        error = {}
    return f"the function failed {stage}: {error.get('errorType')}: {error.get('errorMessage')}"

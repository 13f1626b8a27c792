"""Google's own Pub/Sub emulator, as gcloud starts it, and the few calls of its REST interface that the tests need."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.services.web import exchange, free_port, wait_until

START = ("gcloud", "beta", "emulators", "pubsub", "start", "--project=example")


class PubSub:
    """The emulator of a project called example, until it is closed; it keeps nothing."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("gcloud") is None or shutil.which("java") is None:
            pytest.skip("the Pub/Sub emulator is a part of gcloud, and runs on java: one of them is not here")
        self._port = free_port()
        self.host = f"127.0.0.1:{self._port}"
        (folder / "data").mkdir(parents=True)
        quiet = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}
        self._log = folder / "emulator.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*START, f"--host-port={self.host}", f"--data-dir={folder / 'data'}"],
                env={**os.environ, **quiet, "CLOUDSDK_CONFIG": str(folder / "config")},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._is_ready, "the Pub/Sub emulator answers", pause=0.1)
        except AssertionError:
            printed = self._log.read_text(errors="replace")
            self.close()
            if "not currently installed" in printed or "Invalid choice" in printed:
                pytest.skip("gcloud is here without its Pub/Sub emulator")
            raise AssertionError(f"the emulator did not start:\n{printed}") from None

    def topic(self, name: str, **subscriptions: dict[str, Any]) -> None:
        """Make a topic, and subscriptions to it by name."""
        self.ask("PUT", f"topics/{name}", {})
        for subscription, options in subscriptions.items():
            self.ask("PUT", f"subscriptions/{subscription}", {"topic": f"projects/example/topics/{name}", **options})

    def publish(self, topic: str, bodies: list[bytes], **attributes: str) -> list[str]:
        """Publish messages, and return their ids."""
        messages = [{"data": base64.b64encode(body).decode(), "attributes": attributes} for body in bodies]
        ids: list[str] = self.ask("POST", f"topics/{topic}:publish", {"messages": messages})["messageIds"]
        return ids

    def pull(self, subscription: str) -> list[dict[str, Any]]:
        """Get and acknowledge the waiting documents."""
        path = f"subscriptions/{subscription}"
        received = self.ask("POST", f"{path}:pull", {"maxMessages": 100, "returnImmediately": True}).get("receivedMessages", [])
        if received:
            self.ask("POST", f"{path}:acknowledge", {"ackIds": [message["ackId"] for message in received]})
        return [json.loads(base64.b64decode(message["message"]["data"])) for message in received]

    def ask(self, method: str, path: str, body: Any) -> Any:
        """Make one call, which must succeed; get the document of the answer."""
        status, answer = self._call(method, path, body)
        assert status < 300, (method, path, status, answer)
        return json.loads(answer)

    def close(self) -> None:
        """End gcloud and the emulator that it started."""
        with contextlib.suppress(ProcessLookupError):  # gcloud has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _call(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        status, _, answer = exchange(self._port, method, f"/v1/projects/example/{path}", json.dumps(body).encode(), headers)
        return status, answer

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, "gcloud has ended"
        try:
            return self._call("PUT", "topics/awaited", {})[0] < 300
        except (OSError, HTTPException):
            return False

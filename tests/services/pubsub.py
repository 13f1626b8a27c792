"""Google's own Pub/Sub emulator, as gcloud starts it, and the few calls of its REST interface that the tests need."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

START = ("gcloud", "beta", "emulators", "pubsub", "start", "--project=example")


class PubSub:
    """The emulator of a project called example, until it is closed; it keeps nothing."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("gcloud") is None or shutil.which("java") is None:
            pytest.skip("the Pub/Sub emulator is a part of gcloud, and runs on java: one of them is not here")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
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
        self._await()

    def topic(self, name: str, **subscriptions: dict[str, Any]) -> None:
        """Make a topic, and each subscription to it."""
        self.ask("PUT", f"topics/{name}", {})
        for subscription, options in subscriptions.items():
            self.ask("PUT", f"subscriptions/{subscription}", {"topic": f"projects/example/topics/{name}", **options})

    def publish(self, topic: str, bodies: list[bytes], **attributes: str) -> list[str]:
        """Publish messages, and return their ids."""
        messages = [{"data": base64.b64encode(body).decode(), "attributes": attributes} for body in bodies]
        ids: list[str] = self.ask("POST", f"topics/{topic}:publish", {"messages": messages})["messageIds"]
        return ids

    def pull(self, subscription: str) -> list[dict[str, Any]]:
        """The documents that are there now, which are acknowledged."""
        path = f"subscriptions/{subscription}"
        received = self.ask("POST", f"{path}:pull", {"maxMessages": 100, "returnImmediately": True}).get("receivedMessages", [])
        if received:
            self.ask("POST", f"{path}:acknowledge", {"ackIds": [message["ackId"] for message in received]})
        return [json.loads(base64.b64decode(message["message"]["data"])) for message in received]

    def ask(self, method: str, path: str, body: Any) -> Any:
        """One call."""
        url, headers = f"http://{self.host}/v1/projects/example/{path}", {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def close(self) -> None:
        """End gcloud and the emulator that it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _await(self) -> None:
        deadline = monotonic() + 120
        while monotonic() < deadline and self._process.poll() is None:
            try:
                self.ask("PUT", "topics/awaited", {})
                return
            except (OSError, urllib.error.URLError):
                sleep(0.1)
        log = self._log.read_text(errors="replace")
        if self._process.poll() is None:
            self.close()
        if "not currently installed" in log or "Invalid choice" in log:
            pytest.skip("gcloud is here without its Pub/Sub emulator")
        raise AssertionError(f"the emulator did not start:\n{log}")

"""Chromium, driven over its own protocol: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage"]
PATIENCE = 120.0  # seconds: a busy machine is no fault
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40, "Backspace": 8}


class Browser:
    """One page of one browser; `told` collects what it writes to its console, and `refused` the requests that it blocks."""

    def __init__(self, width: int = 1200, height: int = 900) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs, self._write = os.pipe()
        self._read, answers = os.pipe()
        # the browser reads questions from file 3 and writes answers to file 4
        words = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{answers}', "bash", "chromium", *OPTIONS]
        words += ["--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank"]
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(words, pass_fds=(theirs, answers), stdin=silent, stdout=silent, stderr=silent)
        os.close(theirs)
        os.close(answers)
        self._left, self._number, self._session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "DOM"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._write)
        os.close(self._read)
        self._folder.cleanup()

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, url: str) -> None:
        """Open a page, and wait until it is loaded."""
        self.told.clear()
        self.asked.clear()
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript in the page, beside its policy, and return the value."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self.evaluate(condition):
            assert time.monotonic() < until, f"{condition} did not become true; the page told {self.told}"
            time.sleep(0.05)

    def press(self, key: str, shift: bool = False) -> None:
        """Press and release a key."""
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "code": key if len(key) > 1 else "", "modifiers": 8 if shift else 0}
        common["windowsVirtualKeyCode"] = KEYS.get(key, ord(key.upper()) if key.isalnum() and len(key) == 1 else 0)
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width: int, height: int, scale: float = 1.0) -> None:
        """Set the size of the window in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def prefer(self, **features: str) -> None:
        """Set what the reader prefers, as `color_scheme="dark"`."""
        named = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=named)

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page as a PNG file."""
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def accessible(self) -> list[tuple[str, str]]:
        """List what a screen reader meets, as roles and names."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def _message(self) -> Any:
        """Read the next message, and note it if it is an event."""
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._read], [], [], PATIENCE)
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._left += part
        text, _, self._left = self._left.partition(b"\0")
        message = json.loads(text)
        event, parameters = message.get("method"), message.get("params", {})
        if event == "Log.entryAdded":
            self.told.append(parameters["entry"]["text"])
        if event == "Runtime.exceptionThrown":
            self.told.append(json.dumps(parameters["exceptionDetails"])[:1000])
        if event == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])
        return message

"""Run an image here without a container engine: its file system unpacked, its process in namespaces of its own by bubblewrap.

As on a platform that restricts containers, the process is the first of its namespace (SIGTERM reaches it alone), runs as the
image's user without capabilities, and can write to /tmp only.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from flyweight.toolkit.images import roots
from flyweight.toolkit.targets.http_runtime import free_port


@dataclass(frozen=True)
class Root:
    """The file system of an image, and what its configuration says of running it."""

    folder: Path
    run: dict[str, Any]


def unpack(layout: Path, folder: Path) -> Root:
    """Write an image's file system to a folder that does not exist."""
    return Root(folder, roots.unpack(layout, folder).run)


class Container:
    """A running image; its address is this machine's own, on a free port."""

    def __init__(
        self, root: Root, environ: Mapping[str, str] = {}, command: tuple[str, ...] = (), mounts: Mapping[Path, str] = {}
    ) -> None:
        """Start it.

        :param environ: variables beside the image's.
        :param command: what to run in place of the image's command.
        :param mounts: files of this machine, each with its path there.
        """
        self.port = free_port()
        self._said: str | None = None
        self.began = perf_counter()
        words = command or (*root.run["Entrypoint"], *(root.run.get("Cmd") or ()))
        user, _, group = root.run["User"].partition(":")
        variables = dict(one.partition("=")[::2] for one in root.run["Env"])
        variables |= {"PORT": str(self.port), "FLYWEIGHT_HOST": "127.0.0.1", **environ}
        told, tell = os.pipe()
        line = ["bwrap", "--ro-bind", str(root.folder), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        line += ["--unshare-all", "--share-net", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL", "--clearenv"]
        line += ["--uid", user, "--gid", group, "--chdir", root.run["WorkingDir"], "--info-fd", str(tell)]
        line += [word for path, place in mounts.items() for word in ("--ro-bind", str(path), place)]
        line += [word for name, value in variables.items() for word in ("--setenv", name, value)]
        self.process = subprocess.Popen(
            [*line, "--", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[tell]
        )
        os.close(tell)
        with open(told) as information:
            self._first = int(json.loads(information.read() or '{"child-pid": 0}')["child-pid"])

    def ask(self, method: str, path: str, body: bytes | None = None, timeout: float = 60.0) -> tuple[int, bytes]:
        """Send a request, at first as soon as the process listens.

        :returns: the status and the body.
        :raises OSError: the process has ended, or does not answer in time.
        """
        deadline = perf_counter() + timeout
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                connection.close()
                if self.process.poll() is not None or perf_counter() > deadline:
                    raise
                sleep(0.0005)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self, timeout: float = 60.0) -> tuple[int, str]:
        """Send SIGTERM to the process, as an engine does, and wait for its end.

        :returns: its exit status, and what it has printed.
        """
        self.terminate()
        return self.stop_when_done(timeout)

    def terminate(self) -> None:
        """Send SIGTERM to the process."""
        if self.process.poll() is None and self._first:
            os.kill(self._first, signal.SIGTERM)

    def stop_when_done(self, timeout: float = 60.0) -> tuple[int, str]:
        """Wait for the end of the process, or end it.

        :returns: its exit status, and what it has printed.
        """
        if self._said is not None:
            return self.process.returncode, self._said
        try:
            said, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
        self._said = said.decode(errors="replace")
        return self.process.returncode, self._said

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

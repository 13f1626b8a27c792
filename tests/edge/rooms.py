"""Namespaces of the kernel with a disk or a network of their own, which end with the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

OWN = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
ENTERED = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]


class Room:
    """A process that keeps namespaces open; it is a context manager.

    :param kinds: options of unshare: `--mount`, `--net`.
    :param beside: a room that owns the new one, so that a cable can join them.

    The test is skipped where the kernel does not permit it.
    """

    def __init__(self, *kinds: str, beside: Room | None = None) -> None:
        self.kinds = kinds
        words = [*beside.words(), "unshare"] if beside else ["unshare", *OWN]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        try:
            self.process = subprocess.Popen([*words, *kinds, "sh", "-c", "echo open; exec cat"], **pipes, text=True)
        except FileNotFoundError:
            pytest.skip("unshare is not installed; it is in util-linux")
        assert self.process.stdout is not None and self.process.stderr is not None
        if self.process.stdout.readline() != "open\n":
            reason = self.process.stderr.read().strip()
            self.close()
            pytest.skip(f"namespaces are not permitted here: {reason}")

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the namespaces end with the last process in them."""
        self.process.kill()
        self.process.communicate()

    def words(self) -> list[str]:
        """The words before a command that is to run in the room."""
        return ["nsenter", f"--target={self.process.pid}", *ENTERED, *self.kinds]

    def run(self, *command: str) -> None:
        """Run a command of the system's administrator; the test is skipped where it is missing or not permitted."""
        try:
            done = subprocess.run([*self.words(), *command], capture_output=True, text=True, timeout=60)
        except FileNotFoundError:
            pytest.skip("nsenter is not installed; it is in util-linux")
        if done.returncode:
            pytest.skip(f"{' '.join(command)} is not possible here: {done.stderr.strip()}")

    def path(self, path: Path) -> Path:
        """Where this process finds a path of the room."""
        return Path(f"/proc/{self.process.pid}/root{path}")

"""What runs on the device: install.sh makes a release live, or leaves the one before; remove.sh leaves models and answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flyweight.toolkit.targets.http_runtime import free_port

SYSTEMCTL = Path(__file__).with_name("systemctl")


class Box:
    """A device's files in a folder, with a stand-in for systemd that runs the agent."""

    def __init__(self, place: Path, built: Path) -> None:
        self.root, self.state, self.home = place / "root", place / "state", place / "opt"
        self.built, self.port = built, free_port()
        tools = place / "bin"
        for folder in (self.state, self.home, tools):
            folder.mkdir()
        (tools / "systemctl").symlink_to(SYSTEMCTL)
        (tools / "python3").symlink_to(sys.executable)
        places = {"ROOT": self.root, "STATE": self.state, "HOME_OF_RELEASES": self.home}
        self.environ = {name: str(value) for name, value in places.items()} | {"PATH": f"{tools}:/usr/bin:/bin"}

    def put(self, release: str) -> Path:
        return shutil.copytree(self.built, self.home / "penguins" / release)

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**self.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        path = str(self.home / "penguins" / script)
        return subprocess.run(["sh", path, "penguins", *words], env=environ, capture_output=True, text=True, timeout=240)

    def link(self, name: str) -> str:
        return os.readlink(self.home / "penguins" / name)

    def ready(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=60) as answer:
            return int(answer.status)


@pytest.fixture
def box(built: Callable[[str], Path], tmp_path: Path) -> Iterator[Box]:
    """A device on which nothing runs afterwards."""
    made = Box(tmp_path, built("edge"))
    yield made
    subprocess.run([str(SYSTEMCTL), "stop", "it"], env=made.environ, check=True)


def test_a_release_is_live_and_the_one_before_is_known(box: Box) -> None:
    first, second = "a" * 64, "b" * 64
    box.put(first)
    done = box.run(f"{first}/install.sh", str(box.port))
    assert done.returncode == 0, done.stderr
    assert box.link("current") == first and box.ready() == 200
    assert (box.home / "penguins" / "url").read_text() == f"http://127.0.0.1:{box.port}\n"
    box.put(second)
    done = box.run(f"{second}/install.sh")  # the port is the one that was there
    assert done.returncode == 0, done.stderr
    assert (box.link("current"), box.link("previous")) == (second, first) and box.ready() == 200
    drop_in = box.root / "etc/systemd/system/flyweight-edge@penguins.service.d/port.conf"
    assert f"SocketBindAllow=ipv4:tcp:{box.port}\n" in drop_in.read_text()
    assert box.run(f"{first}/install.sh").returncode == 0  # a rollback
    assert (box.link("current"), box.link("previous")) == (first, second)


def test_a_release_that_is_not_ready_is_taken_back(box: Box) -> None:
    good, bad = "a" * 64, "b" * 64
    box.put(good)
    assert box.run(f"{good}/install.sh", str(box.port)).returncode == 0
    (box.put(bad) / "model.safetensors").write_bytes(b"no model")
    assert box.run(f"{bad}/install.sh").returncode == 1
    assert box.link("current") == good and box.ready() == 200


def test_removing_leaves_the_unit_that_other_models_use_and_nothing_else(box: Box) -> None:
    box.put("a" * 64)
    assert box.run(f"{'a' * 64}/install.sh", str(box.port)).returncode == 0
    done = box.run("current/remove.sh")
    assert done.returncode == 0, done.stderr
    left = {str(path.relative_to(box.root)) for path in box.root.rglob("*") if path.is_file()}
    assert left == {"etc/systemd/system/flyweight-edge@.service"}
    assert not (box.home / "penguins").exists()

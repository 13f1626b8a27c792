"""What runs on the machine: install.sh makes a release live, or leaves the one before; remove.sh leaves nothing of it."""

from __future__ import annotations

import json
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


class Machine:
    """A machine's files in a folder, with a stand-in for systemd that runs the service."""

    def __init__(self, place: Path, built: Path) -> None:
        self.root, self.state, self.home = place / "root", place / "state", place / "opt"
        self.built, self.port = built, free_port()
        tools = place / "bin"
        for folder in (self.state, self.home, tools):
            folder.mkdir()
        (tools / "systemctl").symlink_to(SYSTEMCTL)
        (tools / "python3").symlink_to(sys.executable)
        (tools / "nginx").write_text("#!/bin/sh\n")
        (tools / "nginx").chmod(0o755)
        places = {"ROOT": self.root, "STATE": self.state, "HOME_OF_RELEASES": self.home}
        self.environ = {name: str(value) for name, value in places.items()} | {"PATH": f"{tools}:/usr/bin:/bin"}

    def put(self, release: str) -> Path:
        """Unpack a release of penguins."""
        return shutil.copytree(self.built, self.home / "penguins" / release)

    def run(self, script: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a script of a release."""
        environ = {**self.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(["sh", str(script), "penguins", *words], env=environ, capture_output=True, text=True, timeout=120)

    def install(self, release: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Make a release live, at a free port unless words say more."""
        return self.run(self.home / "penguins" / release / "install.sh", *(words or (f"127.0.0.1:{self.port}",)))

    def link(self, name: str) -> str:
        """Where a link leads."""
        return os.readlink(self.home / "penguins" / name)

    def file(self, path: str) -> Path:
        """A file of the machine."""
        return self.root / path

    def calls(self) -> list[str]:
        """How systemctl was called."""
        return (self.state / "calls").read_text().splitlines()

    def ready(self) -> int:
        """The status of /ready."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=60) as answer:
            return int(answer.status)


@pytest.fixture
def machine(built: Callable[[str], Path], tmp_path: Path) -> Iterator[Machine]:
    """A machine on which nothing runs afterwards."""
    made = Machine(tmp_path, built("vm"))
    yield made
    subprocess.run([str(SYSTEMCTL), "stop", "it"], env=made.environ, check=True)


def test_a_release_is_live_and_the_one_before_is_known(machine: Machine) -> None:
    first, second = "a" * 64, "b" * 64
    machine.put(first)
    done = machine.install(first)
    assert done.returncode == 0, done.stderr
    assert machine.link("current") == first and not (machine.home / "penguins" / "previous").exists()
    assert (machine.home / "penguins" / "url").read_text() == f"http://127.0.0.1:{machine.port}\n"
    address = machine.file("etc/systemd/system/flyweight@penguins.socket.d/address.conf").read_text()
    assert address == f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{machine.port}\n"
    assert machine.ready() == 200
    before = len(machine.calls())
    machine.put(second)
    done = machine.install(second, "-")  # the address is the one that was there
    assert done.returncode == 0, done.stderr
    assert (machine.link("current"), machine.link("previous")) == (second, first)
    assert not [call for call in machine.calls()[before:] if call.startswith("stop ") or "journald" in call]  # nobody is refused
    assert machine.install(first, "-").returncode == 0  # a rollback
    assert (machine.link("current"), machine.link("previous")) == (first, second)
    assert machine.ready() == 200


def test_a_release_that_is_not_ready_is_taken_back(machine: Machine) -> None:
    good, bad = "a" * 64, "b" * 64
    machine.put(good)
    assert machine.install(good).returncode == 0
    (machine.put(bad) / "model.safetensors").write_bytes(b"no model")
    done = machine.install(bad)
    assert done.returncode == 1
    assert machine.link("current") == good and machine.ready() == 200


def test_a_first_release_that_is_not_ready_fails(machine: Machine) -> None:
    (machine.put("a" * 64) / "model.safetensors").write_bytes(b"no model")
    assert machine.install("a" * 64).returncode == 1


def test_packages_for_another_python_are_refused_before_anything_is_changed(machine: Machine) -> None:
    marker = machine.put("a" * 64) / "flyweight.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "arch": "x86_64", "runtime": "3.9"}))
    done = machine.install("a" * 64)
    assert done.returncode == 1 and "flyweight build vm --python 3." in done.stderr
    assert not machine.root.exists()


@pytest.mark.parametrize("told", ["folder", "settings", ""])
def test_the_network_is_there_for_a_model_from_a_store_alone(told: str, machine: Machine) -> None:
    release = machine.put("a" * 64)
    if told == "folder":
        (release / "model.address").write_text("file:///nowhere\n")
    if told == "settings":
        machine.file("etc/flyweight").mkdir(parents=True)
        machine.file("etc/flyweight/penguins.env").write_text("FLYWEIGHT_MODEL=s3://models/penguins@prod\n")
    machine.install("a" * 64)
    assert machine.file("etc/systemd/system/flyweight@penguins.service.d/network.conf").exists() == bool(told)


def test_five_releases_are_kept_and_those_that_the_links_lead_to(machine: Machine) -> None:
    names = [f"{number:064x}" for number in range(8)]
    for number, name in enumerate(names):
        os.utime(machine.put(name), (number, number))
    assert machine.install(names[0]).returncode == 0
    kept = {path.name for path in (machine.home / "penguins").iterdir() if path.is_dir() and not path.is_symlink()}
    assert kept == {names[0], *names[3:]}


def test_a_domain_makes_the_proxys_site_and_removing_leaves_nothing(machine: Machine) -> None:
    machine.put("a" * 64)
    done = machine.install("a" * 64, f"127.0.0.1:{machine.port}", "models.birds.example")
    assert done.returncode == 0, done.stderr
    site = machine.file("etc/nginx/conf.d/flyweight-penguins.conf").read_text()
    assert "server_name models.birds.example;" in site and f"server 127.0.0.1:{machine.port};" in site
    assert "example.com" not in site and "flyweight-model" not in site
    assert (machine.home / "penguins" / "url").read_text() == "https://models.birds.example\n"
    done = machine.run(machine.home / "penguins" / "current" / "remove.sh")
    assert done.returncode == 0, done.stderr
    left = {str(path.relative_to(machine.root)) for path in machine.root.rglob("*") if path.is_file()}
    units = {f"etc/systemd/system/flyweight@.{kind}" for kind in ("service", "socket")}
    assert left == units | {"etc/systemd/journald.conf.d/flyweight.conf"}  # what other models use
    assert not (machine.home / "penguins").exists()

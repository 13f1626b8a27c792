"""The built folder as SageMaker starts its container: `serve`, the port, a model that it unpacked, any user, no writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.building import build
from flyweight.toolkit.errors import DeployFailed, RuntimeFailed
from flyweight.toolkit.targets.http_runtime import free_port
from flyweight.toolkit.targets.package import read_marker
from flyweight.toolkit.targets.sagemaker.model_data import archive
from flyweight.toolkit.targets.sagemaker.package import IMAGE
from flyweight.toolkit.targets.sagemaker.runtime import PAYLOAD, Runtime
from tests.conftest import PYTHON

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
PING = {"method": "GET", "path": "/ping"}
GENEROUS = 60.0


def asking(rows: Any, path: str = "/invocations", method: str = "POST") -> dict[str, Any]:
    return {"method": method, "path": path, "headers": {"content-type": "application/json"}, "body": rows}


def test_the_word_serve_takes_the_place_of_the_images_own_words(built: Callable[[str], Path]) -> None:
    with Runtime(built("sagemaker")) as process:
        assert process.command()[1:] == ["server_main.py", "serve"]
        answer = process.invoke(PING)
        assert (answer.status, answer.body) == (200, b"")
        assert json.loads(process.invoke(asking([ROW])).body) == {"predictions": ["Gentoo"]}


def test_the_port_is_the_one_that_sagemaker_gives_and_not_the_images(built: Callable[[str], Path]) -> None:
    with Runtime(built("sagemaker"), environ={"PORT": "1"}) as process:
        assert process.invoke(PING).status == 200


def test_the_image_says_what_the_container_can(penguins: Path, tmp_path: Path) -> None:
    folder = build("sagemaker", penguins, tmp_path / "image", python=PYTHON, form="image", with_bytecode=False).folder
    text = (folder / "Dockerfile").read_text()
    assert 'CMD ["serve"]' in text
    for capability in ("accept-bind-to-port", "multi-models"):
        assert f'LABEL com.amazonaws.sagemaker.capabilities.{capability}="true"' in text
    assert IMAGE.port == 8080


def test_a_model_that_sagemaker_unpacks_is_the_one_that_answers(
    built: Callable[[str], Path], second: Path, tmp_path: Path
) -> None:
    """The folder's own is penguins 1.0.0, and model.tar.gz has 2.0.0."""
    other = build("sagemaker", second, tmp_path / "other", python=PYTHON, with_bytecode=False).folder
    with tarfile.open(archive(other, tmp_path / "model.tar.gz")) as packed:
        packed.extractall(tmp_path / "model", filter="data")
    sha256 = read_marker(other)["sha256"]
    environ = {"FLYWEIGHT_MODEL": str(tmp_path / "model" / "model.safetensors"), "FLYWEIGHT_SHA256": sha256}
    with Runtime(built("sagemaker"), environ=environ) as process:
        answer = process.invoke(asking([ROW]))
        assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "model=penguins/2.0.0"
    with Runtime(built("sagemaker"), environ={**environ, "FLYWEIGHT_SHA256": "0" * 64}) as process:
        assert process.invoke(PING).status == 503


def test_an_archive_has_the_same_bytes_each_time_and_nothing_but_the_model(built: Callable[[str], Path], tmp_path: Path) -> None:
    folder = built("sagemaker")
    first = archive(folder, tmp_path / "one.tar.gz").read_bytes()
    copy = shutil.copytree(folder, tmp_path / "copy")
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    assert archive(copy, tmp_path / "below" / "two.tar.gz").read_bytes() == first
    with tarfile.open(tmp_path / "one.tar.gz") as packed:
        (member,) = packed.getmembers()
        assert (member.name, member.mode, member.uid) == ("model.safetensors", 0o644, 0)
        contents = packed.extractfile(member)
        assert contents is not None and contents.read() == (folder / "model.safetensors").read_bytes()


def test_a_folder_with_an_address_has_no_archive(tmp_path: Path) -> None:
    (tmp_path / "model.address").write_text("s3://my-bucket/models/penguins@prod\n")
    with pytest.raises(DeployFailed, match="which a container without a network can't load"):
        archive(tmp_path, tmp_path / "model.tar.gz")


def test_what_sagemaker_does_not_carry_is_refused(built: Callable[[str], Path]) -> None:
    with Runtime(built("sagemaker")) as process, pytest.raises(RuntimeFailed, match=f"carries at most {PAYLOAD}"):
        process.invoke({**asking(""), "body": "x" * (PAYLOAD + 1)})


def test_models_are_loaded_and_unloaded_while_the_container_runs(
    built: Callable[[str], Path], second: Path, tmp_path: Path
) -> None:
    place = tmp_path / "models" / "a1b2" / "model"
    place.mkdir(parents=True)
    shutil.copy(second, place / "model.safetensors")
    with Runtime(built("sagemaker"), environ={"FLYWEIGHT_PROTOCOLS": "sagemaker_models,sagemaker"}) as process:
        assert process.invoke(PING).status == 200
        assert process.invoke(asking({"model_name": "a1b2", "url": str(place)}, "/models")).status == 200
        answer = process.invoke(asking([ROW], "/models/a1b2/invoke"))
        assert json.loads(answer.body) == {"predictions": ["Gentoo"]}
        assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "model=penguins/2.0.0"
        assert process.invoke(asking("", "/models/a1b2", "DELETE")).status == 200
        assert process.invoke(asking([ROW], "/models/a1b2/invoke")).status == 404


@pytest.mark.parametrize("user", ["0", "10001"], ids=["root", "another user"])
def test_it_runs_as_any_user_on_a_disk_that_nobody_can_write(user: str, built: Callable[[str], Path]) -> None:
    """Under bubblewrap, in a process space of its own, with a /tmp of its own and an end by SIGTERM."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("bubblewrap is not installed")
    folder, port = built("sagemaker"), free_port()
    with Runtime(folder) as runtime:
        words = runtime.command()
    place = ["--ro-bind", "/", "/", "--tmpfs", "/tmp", "--ro-bind", str(folder), "/tmp/app", "--chdir", "/tmp/app"]
    if words[0].startswith("/tmp/"):  # the tests' own interpreter, which the empty /tmp would hide
        place += ["--ro-bind", sys.prefix, sys.prefix]
    inside = ["--unshare-user", "--unshare-ipc", "--uid", user, "--gid", user, "--die-with-parent"]
    environ = {"SAGEMAKER_BIND_TO_PORT": str(port), "PORT": "8080", "PYTHONDONTWRITEBYTECODE": "1", "FLYWEIGHT_HOST": "127.0.0.1"}
    tried = subprocess.run([bwrap, *place, *inside, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"bubblewrap can't make a user here: {tried.stderr.strip()}")
    process = subprocess.Popen([bwrap, *place, *inside, *words], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert answered(port, process) == 200
    finally:
        process.terminate()
        process.communicate(timeout=GENEROUS)


def answered(port: int, process: subprocess.Popen[bytes]) -> int:
    """The status of GET /ping, once the server listens."""
    until = time.monotonic() + GENEROUS
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()[0].decode()[-2000:]
        connection = HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("it does not listen")

"""SageMaker's SDK, its local runtime client and its batch transform engine, against the built folder run as its container is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.targets.sagemaker.runtime import Runtime
from tests.clients.conftest import SCRIPTS, environment

PING = {"method": "GET", "path": "/ping"}


@pytest.fixture(scope="module")
def container(built: Callable[..., Path], packed: Callable[..., Path]) -> Iterator[Runtime]:
    """The container, with a second model of numbers for SageMaker's header that names one."""
    environ = {"FLYWEIGHT_PROTOCOLS": "sagemaker", "FLYWEIGHT_MODELS": f"numbers={packed('numbers')}"}
    with Runtime(built("sagemaker", "all"), environ=environ) as running:
        assert running.invoke(PING).status == 200
        yield running


@pytest.fixture(scope="module")
def found(container: Runtime) -> Any:
    """What the SDK got."""
    words = [str(environment("sagemaker")), "-P", str(SCRIPTS / "sagemaker.py"), f"http://localhost:{container.port}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_serializers_of_the_sdk_get_an_answer_for_each_row(found: Any) -> None:
    assert found["json"] == {"predictions": ["Gentoo", "Adelie"]}
    assert found["csv"] == [["Gentoo"], ["Adelie"]]
    assert found["lines"] == ["Gentoo", "Adelie"]
    assert len(found["numbers"]) == 2


def test_a_batch_transform_has_a_line_for_each_line_of_the_file(found: Any) -> None:
    lines = "Gentoo\nAdelie\nGentoo\n"
    assert found["transformed"] == {"SingleRecord": lines, "MultiRecord": lines}


def test_a_fault_has_its_status(found: Any) -> None:
    status, body = found["wrong"]
    assert status == 400 and "instance 0" in body

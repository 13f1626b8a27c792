"""A served model, stand-ins for the providers' tools, and the command line in a folder of its own."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from waitress.server import create_server

import flyweight
from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from flyweight.toolkit.running.server import application
from tests import fitted
from tests.toolkit.deploying.provider_tools import ProviderTools


@contextmanager
def served(model: Path) -> Iterator[int]:
    """The port at which a model is served, as `flyweight serve` does it."""
    with listening(application(model, lambda entry: None)) as port:
        yield port


@contextmanager
def listening(app: Any) -> Iterator[int]:
    """The port at which a WSGI application is served."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.close()
        server.task_dispatcher.shutdown()
        thread.join(5)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins model's next version."""
    estimator, sample = fitted.penguins()
    path = tmp_path_factory.mktemp("second") / "penguins.safetensors"
    flyweight.pack(estimator, path, sample=sample, name="penguins", version="2.0.0")
    return path


@pytest.fixture(scope="session")
def port(penguins: Path) -> Iterator[int]:
    """Where penguins 1.0.0 is served."""
    with served(penguins) as number:
        yield number


@pytest.fixture(scope="session")
def second_port(second: Path) -> Iterator[int]:
    """Where penguins 2.0.0 is served."""
    with served(second) as number:
        yield number


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that one works in, with nobody's credentials but AWS's of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "nobody's"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "FLYWEIGHT_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def tools(here: Path, monkeypatch: pytest.MonkeyPatch) -> ProviderTools:
    """The stand-ins, found before anything else."""
    made = ProviderTools(here / "provider_tools")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture(scope="session")
def folders(penguins: Path, second: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """From a provider and a version of the penguins model to the folder, built once."""
    place = tmp_path_factory.mktemp("folders")

    def folder(provider: str, version: int) -> Path:
        out = place / f"{provider}{version}"
        if not out.exists():
            build(provider, penguins if version == 1 else second, out, with_bytecode=False)
        return out

    return folder


@pytest.fixture
def put(here: Path, folders: Callable[[str, int], Path]) -> Callable[[str, int], None]:
    """Put a version's built folder where `flyweight deploy` looks for it."""

    def place(provider: str, version: int) -> None:
        shutil.rmtree(here / "build" / provider, ignore_errors=True)
        shutil.copytree(folders(provider, version), here / "build" / provider)

    return place


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run `flyweight` with these arguments; an error that is not of ours is raised."""

    def call(*arguments: object, text: str | None = None) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], input=text, catch_exceptions=False)

    return call

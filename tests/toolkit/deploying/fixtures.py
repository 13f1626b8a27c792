"""A served model, stand-ins for the providers' tools, and the command line in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from flyweight.toolkit.deploying import Deployment
from flyweight.toolkit.deploying.releases import releases_of
from flyweight.toolkit.frameworks import wsgi
from flyweight.toolkit.targets.commands import Runner
from tests import fitted
from tests.services.web import wsgi_server
from tests.toolkit.deploying.provider_tools import ProviderTools

VERBS = (["deploy"], ["logs"], ["logs", "--follow"], ["status"], ["destroy"], ["rollback"])
NAMED = ["--name", "two-words", "--region", "us-east-1", "--group", "two-words"]


@contextmanager
def served(model: Path) -> Iterator[int]:
    """The port at which a model is served, as `flyweight serve` does it."""
    with wsgi_server(wsgi(model, log=lambda entry: None)) as port:
        yield port


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


@pytest.fixture(scope="session")
def printed(folders: Callable[[str, int], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """From a provider to every line that its dry runs print, with what is inside `$(...)` and `(cd ... && ...)` by itself."""
    work = tmp_path_factory.mktemp("place")

    def lines(provider: str) -> list[str]:
        found: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(work)
            folder = shutil.copytree(folders(provider, 1), work / f"a folder {provider}", dirs_exist_ok=True)
            for named in (["--name", "birds"], NAMED):
                place = Deployment(**dict(zip([one[2:] for one in named[::2]], named[1::2], strict=True)))
                releases = releases_of(targets.find(provider).deployer, place, Runner(print, dry_run=True))
                for label in ("1", "2"):
                    releases.keep(releases.stage(folder), f"rev-{label}", {}, f"rev-{int(label) - 1}")
            for verb, *options in VERBS:
                built = ["--folder", str(folder)] if verb == "deploy" else []
                for named in (["--name", "birds"], NAMED, ["--name", "nothing-of-it-here"]):
                    unknown = verb == "rollback" and named[-1] == "nothing-of-it-here"
                    if unknown and not targets.find(provider).deployer.earlier_label(Deployment()):
                        continue  # such a provider keeps no earlier version to ask for
                    result = CliRunner().invoke(main, [verb, provider, *options, *built, *named, "--dry-run"])
                    assert result.exit_code == 0, result.output
                    found += result.stdout.splitlines()
        inner = r"^(?:\w+=\$)?\((?:cd .*? && )?(.*?)(?: \| head -n 1)?\)$"
        return [*dict.fromkeys(re.sub(inner, r"\1", line) for line in found)]

    return lines

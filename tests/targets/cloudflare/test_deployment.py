"""wrangler takes each printed line, and the verbs read what it prints: the real one, with a stand-in for Cloudflare's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command
from flyweight.toolkit.targets.deployment import Deployment
from tests.targets.cloudflare.cloudflare_api import ACCOUNT, VERSION, Cloudflare, cloudflare
from tests.targets.cloudflare.wrangler import complaints, put_on_path

DEPLOYER = targets.find("cloudflare").deployer
NAMED = Deployment("birds", group=ACCOUNT, parameters={"domain": "models.example.com", "FLYWEIGHT_CORS_ORIGINS": "https://a b"})


def flyweight(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloudflare]:
    """Put wrangler on the path, which asks the stand-in for the API."""
    put_on_path(tmp_path, monkeypatch)
    with cloudflare() as (state, url):
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", url)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "of the tests")
        yield state


def test_the_domain_is_the_address_and_settings_are_variables() -> None:
    (line,) = DEPLOYER.deploy(NAMED)
    words = ["env", f"CLOUDFLARE_ACCOUNT_ID={ACCOUNT}", "wrangler", "deploy", "--name", "birds", "--domain", "models.example.com"]
    words += ["--var", "FLYWEIGHT_CORS_ORIGINS:https://a b", "--message", "https://models.example.com"]
    assert [*line.words] == words and line.cwd == NAMED.folder
    address, again = DEPLOYER.deploy(Deployment("birds"))
    assert address.into == "ADDRESS" and str(again).endswith('--message "$ADDRESS")')


REFUSED = [
    ({"domains": "models.example.com"}, {}, r"has no parameter domains \(domain\?\)"),
    ({"FLYWEIGHT_CORS_ORIGIN": "x"}, {}, r"\(FLYWEIGHT_CORS_ORIGINS\?\)"),
    ({"domain": "https://models.example.com"}, {}, "is not a valid name of a domain"),
    ({"domain": "example"}, {}, "is not a valid name of a domain"),
    ({}, {"team": "ml"}, "a Worker has no tags"),
]


@pytest.mark.parametrize(("parameters", "tags", "words"), REFUSED)
def test_what_a_worker_can_not_keep_is_refused(parameters: dict[str, str], tags: dict[str, str], words: str) -> None:
    with pytest.raises(DeployFailed, match=words):
        DEPLOYER.deploy(Deployment("birds", parameters=parameters, tags=tags))


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("Message:     https://a.example.com\n    Message:  https://b.example.com", "https://a.example.com"),
        ("Message:     -\n    Message:  https://b.example.com", "https://b.example.com"),
        ("\x1b[37mMessage:\x1b[39m  \x1b[90mhttps://a.example.com\x1b[39m", "https://a.example.com"),
        ("Author:  https://c.example.com\nMessage:     -", ""),
    ],
)
def test_the_address_is_the_message_of_the_deployment_or_of_its_version(said: str, address: str, tmp_path: Path) -> None:
    assert ran(DEPLOYER.url(Deployment("birds")), said, tmp_path) == address


def ran(line: Command | None, said: str, place: Path) -> str:
    """What a command prints where wrangler says this."""
    (place / "wrangler").write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    (place / "wrangler").chmod(0o755)
    environ = {"PATH": f"{place}{os.pathsep}{os.defpath}"}
    done = subprocess.run(["sh", "-c", str(line)], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def deployed(*before: str) -> str:
    """What wrangler lists for the versions that were live, the newest last."""
    made = [{"created_on": f"{n}", "versions": [{"version_id": one, "percentage": 100}]} for n, one in enumerate(before)]
    return json.dumps(made, indent=2)


@pytest.mark.parametrize(
    ("live", "before"),
    [("a", ""), ("ab", "a"), ("abc", "b"), ("aba", ""), ("abcb", "a"), ("aabb", "a"), ("abcad", "a")],
)
def test_the_version_before_is_the_one_that_was_live_before_the_live_one_first_was(
    live: str, before: str, tmp_path: Path
) -> None:
    (line,) = DEPLOYER.earlier_label(Deployment("birds"))
    assert ran(line, deployed(*live), tmp_path) == before


@pytest.mark.slow
@pytest.mark.needs("wrangler")
def test_the_real_wrangler_deploys_tells_the_address_goes_back_and_removes(
    built: Callable[[str], Path], tmp_path: Path, api: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flyweight.toolkit.cli.deploy._live", lambda *_: None)  # nothing answers at the domain
    folder = shutil.copytree(built("cloudflare"), tmp_path / "a folder")
    words = ["cloudflare", "--name", "birds"]
    given = ["--folder", folder, "--no-smoke", "--json"]
    first = flyweight("deploy", *words, *given, "--set", "domain=models.example.com", "--set", "FLYWEIGHT_CORS_ORIGINS=https://a")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["url"] == "https://models.example.com" and api.domains == {"birds": ["models.example.com"]}
    bindings = api.uploads["birds"][0]["bindings"]
    assert {"name": "FLYWEIGHT_CORS_ORIGINS", "type": "plain_text", "text": "https://a"} in bindings
    second = flyweight("deploy", *words, *given)
    assert second.exit_code == 0, second.output
    assert json.loads(second.stdout)["url"] == "https://models.example.com", "it keeps its domain and tells it"
    shutil.rmtree(tmp_path / ".flyweight")  # as in a fresh checkout: wrangler alone knows what was live
    back = flyweight("rollback", *words, "--no-smoke", "--json")
    assert back.exit_code == 0, back.output
    assert json.loads(back.stdout)["label"] == VERSION.format(1)
    live = api.deployments["birds"][0]
    assert live["versions"] == [{"version_id": VERSION.format(1), "percentage": 100}]
    assert live["annotations"]["workers/message"] == "https://models.example.com"
    assert flyweight("destroy", *words, "--yes").exit_code == 0 and api.deployments == {}
    gone = flyweight("status", *words)
    assert gone.exit_code == 1 and "cloudflare has no state of birds" in " ".join(gone.stderr.split())


@pytest.mark.slow
@pytest.mark.needs("wrangler")
def test_wranglers_parser_takes_each_line_and_no_misspelt_one(
    built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch)
    there = replace(NAMED, folder=shutil.copytree(built("cloudflare"), tmp_path / "worker"))
    lines = [DEPLOYER.url(there), *DEPLOYER.earlier_label(there), *DEPLOYER.status(there), *DEPLOYER.destroy(there)]
    lines += [one for follow in (True, False) for one in DEPLOYER.logs(there, "1h", follow)]
    lines += [*DEPLOYER.deploy(there), DEPLOYER.roll_back(there, VERSION.format(1))[-1]]
    assert complaints([*map(str, lines)], tmp_path) == []
    misspelt = "wrangler deployments status --nam birds"
    assert complaints([misspelt], tmp_path) == [misspelt]

"""A parameter, and an option of `deploy`, choose the Runtime API client: AWS's own unless they say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from flyweight.toolkit.targets.aws.runtime import OWN, WRAPPER
from tests.targets.aws.cloudformation import Stack


@pytest.mark.parametrize(("parameters", "wrapper"), [({}, None), ({"Client": "platform"}, None), ({"Client": "own"}, OWN)])
def test_the_template_names_the_wrapper_only_for_our_client(
    parameters: dict[str, str], wrapper: str | None, stack: Callable[..., Stack]
) -> None:
    (function,) = stack(**parameters).of_type("AWS::Lambda::Function")
    assert function["Environment"]["Variables"].get(WRAPPER) == wrapper


def deployed(target: str, folder: Path, *options: str) -> str:
    """What a dry run prints."""
    done = CliRunner().invoke(main, ["deploy", target, "--folder", str(folder), "--dry-run", "--yes", *options])
    return done.output + (f"{done.exception}" if done.exception else "")


def test_deploy_sets_the_parameter(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Client=own" in deployed("aws", built("aws"), "--client", "own")
    assert "Client=" not in deployed("aws", built("aws"))
    assert "has no choice of clients" in deployed("gcp", built("gcp"), "--client", "own")

"""Every line that a dry run prints is one that gcloud takes, as far as that can be told without an account."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from tests.targets.gcp.gcloud import complaints, needs_gcloud
from tests.targets.vertex.shell_lines import filled


@pytest.fixture(scope="module")
def lines(printed: Callable[[str], list[str]]) -> list[str]:
    return [filled(line) for line in printed("vertex")]


@needs_gcloud
def test_gcloud_takes_every_line_of_its_own(lines: list[str], tmp_path: Path) -> None:
    asked = [line for line in lines if line.startswith("gcloud ")]
    assert len(asked) > 20
    assert complaints(asked, tmp_path) == []


def test_flyweight_takes_the_other_lines(lines: list[str]) -> None:
    others = [line for line in lines if not line.startswith("gcloud ")]
    assert others
    for line in others:
        program, verb, action, layout, reference, *options = shlex.split(line)
        assert [program, verb, action] == ["flyweight", "image", "push"] and layout.endswith(".oci")
        assert re.fullmatch(r"(europe-west1|us-east-1)-docker\.pkg\.dev/[a-z-]+/flyweight/[a-z-]+:[0-9a-f]{12}", reference)
        assert options == ["--user", "oauth2accesstoken", "--password-command", "gcloud auth print-access-token"]
        told = CliRunner().invoke(main, [verb, action, layout, reference, *options[:-1], "echo a-token"])
        assert told.exit_code == 1 and f"{layout} does not exist" in told.stderr  # the words were understood

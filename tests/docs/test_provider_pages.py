"""The pages of the providers: the first prediction fits on one screen and answers as shown; Azure's tools accept the commands."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from tests.docs.test_provider_docs import PROVIDERS, commands
from tests.targets.azure.azure_tools import strange
from tests.targets.handler import ROOT

SCREEN = 40  # lines
ASKS = re.compile(r"^(?:ssh \S+ )?curl |^aws sagemaker-runtime invoke-endpoint ", re.MULTILINE)
SCORES = re.compile(r"^flyweight invoke |\.score\(", re.MULTILINE)  # the first prediction of a target that answers no requests
AZURE = ROOT / "docs" / "providers" / "azure.md"
# commands, also those inside `$(...)` and `(cd ... && ...)`
INNER = re.compile(r"(?:\$\(|^\(cd [^&]*&& )?((?:az|func) (?:\"[^\"]*\"|[^)\"])*)")


def screen(page: Path) -> str:
    """Cut a page after the fence that asks the deployed model first, and after the answer that it shows."""
    text = page.read_text()
    jobs = [target.name for target in targets.all_targets() if target.has("job")]
    first = (SCORES if page.stem in jobs else ASKS).search(text)
    assert first is not None, f"{page.stem} asks nothing"
    asked = text.index("\n```\n", first.start()) + len("\n```\n")
    shown = re.match(r"\n```json\n.*?\n```\n", text[asked:], re.DOTALL)
    return text[: asked + (shown.end() if shown else 0)]


@pytest.mark.parametrize("page", PROVIDERS, ids=lambda page: page.stem)
def test_the_first_prediction_fits_on_one_screen(page: Path) -> None:
    lines = screen(page).count("\n")
    assert lines <= SCREEN, f"{lines} lines"


@pytest.mark.parametrize("page", [page for page in PROVIDERS if "```json" in page.read_text()], ids=lambda page: page.stem)
def test_the_answer_that_a_page_shows_is_the_folders(page: Path, built: Callable[[str], Path]) -> None:
    if page.stem == "azure" and sys.version_info < (3, 13):
        pytest.skip("azure-functions-runtime takes Python 3.13 or later")
    (shown,) = re.findall(r"^```json\n(.*?)^```", screen(page), re.DOTALL | re.MULTILINE)
    event = json.dumps(samples.read(page.stem, "predict"))
    with runtime(page.stem)(built(page.stem)) as running:
        reply = running.invoke(samples.read(page.stem, "predict"))
    assert json.loads(reply.body) == json.loads(shown)
    (instance,) = json.loads((ROOT / "events" / "aws" / "predict.direct.json").read_text())["instances"]
    assert [value for value in instance.values() if str(value) not in event] == []  # curl sends the same values


def test_az_and_func_have_each_option_of_the_page() -> None:
    lines = [found for line in commands(AZURE) for found in INNER.findall(line)]
    assert len(lines) > 10
    assert [line for line in lines if strange(line)] == []

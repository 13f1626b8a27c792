"""The client of the mcp package lists and calls tools, by the newest version and by one that begins with `initialize`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.conftest import Run


@pytest.fixture(scope="module")
def found(run: Run) -> Any:
    """What the client got."""
    return run("mcp")


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_the_client_agrees_on_a_version_and_calls_a_tool(mode: str, version: str, found: Any) -> None:
    told = found[mode]
    assert (told["version"], told["server"]) == (version, "flyweight")
    assert [*told["tools"]] == ["predict", "predict_numbers"]
    is_error, document, text = told["right"]
    assert is_error is False and document["prediction"] == "Gentoo" and json.loads(text) == document


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_client_gets_what_is_wrong(mode: str, found: Any) -> None:
    is_error, text = found[mode]["wrong"]
    assert is_error is True and "feature 'year'" in text
    assert "the tools are predict, predict_numbers" in found[mode]["absent"]

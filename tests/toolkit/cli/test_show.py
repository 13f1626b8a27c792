"""Reports keep words whole, and wrap nothing where nobody looks at a screen; progress is told on a terminal and off it."""

from __future__ import annotations

import time

import pytest

from flyweight.toolkit.cli import _show

HASH = "0123456789abcdef" * 4
LONG = "many words " * 40


@pytest.mark.parametrize("width", ["1", "40", "80", "300"])
def test_off_a_terminal_nothing_wraps(width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", width)
    _show.table("m.safetensors", {"sha256": HASH, "why": LONG, "absent": None, "a name of words": "[red]7"})
    _show.columns("engines", ("engine", "why"), [("pure", LONG), ("onnx", "")])
    lines = capsys.readouterr().out.splitlines()
    assert f" sha256            {HASH}" in lines
    assert f" why               {LONG.rstrip()}" in lines
    assert " a name of words   [red]7" in lines
    assert f" pure     {LONG.rstrip()}" in lines and " onnx" in lines


@pytest.mark.parametrize("width", ["30", "80"])
def test_on_a_terminal_words_wrap_and_stay_whole(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    _show.table("m.safetensors", {"sha256": HASH, "why": LONG})
    lines = capsys.readouterr().out.splitlines()
    assert sum(HASH in line for line in lines) == 1
    assert max(map(len, lines)) <= max(int(width), len(HASH) + 12) and len(lines) > 6


def test_an_empty_table_prints(capsys: pytest.CaptureFixture[str]) -> None:
    _show.table("nothing", {})
    _show.columns("nothing", ("a", "b"), [])
    assert "nothing" in capsys.readouterr().out


def test_off_a_terminal_a_long_stage_prints_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_show, "SECONDS", 0.05)
    with _show.progress(True) as advance:
        advance("converting", 0, 0)
        time.sleep(0.2)
        advance("comparing rows", 500, 2200)
        time.sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "converting, 0 s" and said[-1] == "comparing rows, 500 of 2,200, 0 s"
    assert 2 <= len(said) <= 8


@pytest.mark.parametrize("visible", [True, False])
def test_what_is_quick_or_hidden_prints_nothing(visible: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with _show.progress(visible) as advance:
        advance("converting", 0, 0)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_stage_that_goes_on_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with _show.progress(True) as advance:
        advance("converting", 0, 0)
        advance("comparing rows", 550, 2200)
    said = capsys.readouterr().err
    assert "comparing rows" in said and "25%" in said

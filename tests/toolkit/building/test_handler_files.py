"""A handler's files, and of other handlers' folders those modules that it uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyweight.toolkit.building import handler_files

SOURCES = {
    "own/entry.py": "'''The entry.'''\nimport used\n\ndef late():\n    from later import name  # why\n\nbind(sinks='named')\n",
    "own/replaced.py": "OWN = 1\n",
    "own/Procfile": "web: python entry.py\n",
    "one/used.py": "'''Used.'''\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    import idle\nimport deeper, replaced\n",
    "one/idle.py": "",
    "one/replaced.py": "OWN = 0\n",
    "one/Notes": "",
    "two/later.py": "name = __import__('twice')\n",
    "two/named.py": "import json\n",
    "two/deeper.py": "import entry\n",
    "one/twice.py": "FIRST = 1\n",
    "two/twice.py": "FIRST = 0\n",
}


@pytest.fixture
def copied(tmp_path: Path) -> dict[str, str]:
    """The texts of the files of a handler `own` that uses modules of `one` and `two`, by name."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "goal").mkdir()
    handler_files.copy(tmp_path / "own", [tmp_path / "one", tmp_path / "two"], tmp_path / "goal", own=False)
    return {path.name: path.read_text() for path in (tmp_path / "goal").iterdir()}


def test_modules_come_with_what_imports_or_names_them_and_no_other_file(copied: dict[str, str]) -> None:
    others = {"used.py", "later.py", "named.py", "deeper.py", "twice.py"}
    assert {*copied} == {"entry.py", "replaced.py", "Procfile"} | others


def test_the_handlers_own_file_and_the_first_folder_come_first(copied: dict[str, str]) -> None:
    assert copied["replaced.py"] == "OWN = 1\n" and copied["twice.py"] == "FIRST = 1\n"


def test_a_users_comments_stay_and_ours_go(copied: dict[str, str], tmp_path: Path) -> None:
    assert copied["entry.py"] == SOURCES["own/entry.py"] and "Used" not in copied["used.py"]
    (tmp_path / "bare").mkdir()
    handler_files.copy(tmp_path / "own", [], tmp_path / "bare", own=True)
    assert "# why" not in (tmp_path / "bare" / "entry.py").read_text()
    assert not (tmp_path / "bare" / "used.py").exists()

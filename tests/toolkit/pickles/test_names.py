"""Names that lead to any code are found in a pickle, however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyweight.toolkit import pickles
from flyweight.toolkit.pickles import PickleRefused


def _calls(module: str, name: str, *, quoted: bytes | None = None) -> bytes:
    """Write the pickle of a call of MODULE.NAME; if `quoted` is given, it is the module's name as protocol 0 quotes it."""
    first = b"S'" + quoted + b"'\n" if quoted is not None else _short(module)
    return b"\x80\x04" + first + _short(name) + b"\x93)R."


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (_calls("statistics", "random._os.system"), "statistics.random._os.system"),
        (_calls("os", "system", quoted=rb"\x6fs"), "os.system"),
        (_calls("operator", "attrgetter"), "operator.attrgetter"),
        (_calls("builtins", "map"), "builtins.map"),
    ],
    ids=["attributes of a module", "an escape in its name", "any attribute", "any function"],
)
def test_a_name_that_leads_to_any_code_is_found(data: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    assert [*pickles.read(path).dangerous] == [found]


def test_an_escape_that_is_none_stays_as_it_is_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04S'a\\d'\n.")
    pickles.read(path)
    path.write_bytes(b"\x80\x04S'a\\x'\n.")
    with pytest.raises(PickleRefused, match=r"invalid \\x escape"):
        pickles.read(path)

"""The names of what is written for a file are known again, and are nobody else's."""

from __future__ import annotations

import pytest

from flyweight.files.checkpoint import is_ours, names


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ["a.csv", "b/a.jsonl.gz", "A.PARQUET"])
@pytest.mark.parametrize("tag", ['"d41d8cd98f00b204e9800998ecf8427e-12"', '"0x8D"', "1700000000", 'W/"weak/tag"', ""])
def test_what_is_written_is_known_as_ours(form: str, name: str, tag: str) -> None:
    for prefix in ("", "out/put"):
        made = names(prefix, name, tag, form)
        for key in (made.output, made.rejects, made.checkpoint, f"{made.parts}/000001-00"):
            assert is_ours(key) and key.startswith(prefix)
    assert not is_ours(name)


@pytest.mark.parametrize("key", ["a.csv", "a.2024.csv", "a.b.jsonl", "x.rejected.jsonl", "a.csv.gz", "parts/a.csv"])
def test_other_files_are_not_ours(key: str) -> None:
    assert not is_ours(key)

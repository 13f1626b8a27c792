"""The keys of what is written for a file are recognized, and other keys are not."""

from __future__ import annotations

import pytest

from flyweight.files.checkpoint import is_output, output_keys


@pytest.mark.parametrize("file_format", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ["a.csv", "b/a.jsonl.gz", "A.PARQUET"])
@pytest.mark.parametrize("tag", ['"d41d8cd98f00b204e9800998ecf8427e-12"', '"0x8D"', "1700000000", 'W/"weak/tag"', ""])
def test_keys_of_outputs_are_recognized(file_format: str, name: str, tag: str) -> None:
    for prefix in ("", "out/put"):
        made = output_keys(prefix, name, tag, file_format)
        for key in (made.output, made.rejects, made.checkpoint, f"{made.parts}/000001-00"):
            assert is_output(key) and key.startswith(prefix)
    assert not is_output(name)


@pytest.mark.parametrize("key", ["a.csv", "a.2024.csv", "a.b.jsonl", "x.rejected.jsonl", "a.csv.gz", "parts/a.csv"])
def test_other_keys_are_not_outputs(key: str) -> None:
    assert not is_output(key)

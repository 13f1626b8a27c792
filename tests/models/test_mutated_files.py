"""Every changed byte of a model file is refused by its digest; a file of before there were digests is refused, or answers."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from flyweight import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import model_writer
from tests.ops.hostile import raw

NIGHTLY = 200_000  # files; continuous integration tries a hundredth
COUNT = int(os.environ.get("MUTATED_FILES", NIGHTLY // 100))
INSTANCE = ["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007.0]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change bytes as damage does: one or some flipped, a piece cut out, put in twice, set to zero or moved, the end cut off."""
    changed, way = bytearray(data), chance.randrange(7)
    begin = chance.randrange(len(data))
    end = min(len(data), begin + 1 + int(len(data) ** chance.random()))
    if way == 0:
        changed[begin] ^= 1 << chance.randrange(8)
    elif way == 1:
        for _ in range(1 + chance.randrange(16)):
            changed[chance.randrange(len(data))] = chance.randrange(256)
    elif way == 2:
        del changed[begin:end]
    elif way == 3:
        changed[begin:begin] = data[begin:end]
    elif way == 4:
        changed[begin:end] = bytes(end - begin)
    elif way == 5:
        changed[begin:end] = data[begin:end][::-1]
    else:
        del changed[begin:]
    return bytes(changed)


def answers(data: bytes) -> list[Any]:
    """Return the predictions for one instance."""
    return Predictor(model_file.parse(data)).answer([INSTANCE]).predictions or []


def test_a_changed_file_is_refused(penguins: Path) -> None:
    data, chance = penguins.read_bytes(), random.Random(0)
    for _ in range(COUNT):
        changed = mutated(data, chance)
        if changed != data:
            with pytest.raises(ModelRefused):
                model_file.parse(changed)


def test_a_byte_of_a_large_file_counts() -> None:
    data = model_writer.to_bytes({"name": "m"}, {"a": np.arange(model_file.CRC_BYTES / 8)})
    assert len(data) > model_file.CRC_BYTES and model_file.parse(data)
    for place in (*range(len(model_file.DIGEST_PREFIX) + 30), 1000, len(data) // 2, len(data) - 1):
        with pytest.raises(ModelRefused):
            model_file.parse(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def test_every_byte_counts() -> None:
    data = model_writer.to_bytes({"name": "m"}, {"a": np.arange(3.0), "b": np.zeros(3, dtype=np.uint8)})
    for place in range(len(data)):
        for value in {*range(256)} - {data[place]}:
            with pytest.raises(ModelRefused):
                model_file.parse(data[:place] + bytes([value]) + data[place + 1 :])


def test_a_changed_file_without_a_digest_is_refused_or_answers(penguins: Path) -> None:
    """The checks behind the digest hold for someone who computes a new one, too."""
    data = penguins.read_bytes()
    plain = raw(model_file.parse(data).document, safetensors.numpy.load(data))
    assert answers(plain) == answers(data) == ["Gentoo"]
    chance = random.Random(1)
    for _ in range(COUNT // 4):
        try:
            answers(mutated(plain, chance))
        except (InvalidInput, ModelRefused):
            pass


def test_a_digest_that_was_cut_out_is_missed() -> None:
    data = model_writer.to_bytes({"name": "m"}, {"a": np.arange(3.0)})
    end = 8 + int.from_bytes(data[:8], "little")
    metadata = b'{"__metadata__":{'
    header = metadata + data[8 + len(metadata) + len(b'"digest":"0123456789abcdef",') : end]
    with pytest.raises(ModelRefused, match="changed after it was written"):
        model_file.parse(len(header).to_bytes(8, "little") + header + data[end:])


def test_a_digest_is_renewed_by_its_writer_alone() -> None:
    data = model_writer.to_bytes({"name": "m"}, {"a": np.arange(3.0)})
    assert model_writer.with_digest(data) == data
    changed = data[:-8] + np.float64(9).tobytes()
    with pytest.raises(ModelRefused):
        model_file.parse(changed)
    assert model_file.parse(model_writer.with_digest(changed)).tensors["a"].values.tolist() == [0.0, 1.0, 9.0]


@pytest.mark.parametrize("items", [b"[],", b"{},"])
def test_a_header_of_endless_values_is_refused_before_it_is_parsed(items: bytes) -> None:
    import tracemalloc

    header = b'{"__metadata__":{"flyweight":"{}"},"a":[' + items * 3_000_000 + b"0]}"
    data = len(header).to_bytes(8, "little") + header
    tracemalloc.start()
    with pytest.raises(ModelRefused, match="the header has 60000"):
        model_file.parse(data)
    assert tracemalloc.get_traced_memory()[1] < 2 * len(header)
    tracemalloc.stop()


def test_a_header_larger_than_its_limit_is_refused() -> None:
    header = b'{"a":"' + b"x" * model_file.MAX_HEADER_BYTES + b'"}'
    with pytest.raises(ModelRefused, match="the limit is 32000000"):
        model_file.parse(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"__metadata__":' + "[" * 5000 + "]" * 5000 + "}"])
def test_a_header_nested_without_end_is_refused(text: str) -> None:
    header = text.encode()
    with pytest.raises(ModelRefused):
        model_file.parse(len(header).to_bytes(8, "little") + header)

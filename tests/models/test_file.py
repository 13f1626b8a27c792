"""Model files are read as the safetensors library writes them; all that are not sound are refused."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flyweight import ModelRefused
from flyweight.models import file as model_file
from flyweight.toolkit.packing import model_writer
from tests.ops.hostile import raw

DOCUMENT = {"format": 1}
DTYPES = [np.float64, np.float32, np.int64, np.int32, np.int16, np.uint8]
arrays = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=3, max_side=4, min_side=0))),
    max_size=4,
)


@given(arrays)
def test_we_read_what_the_safetensors_library_writes(tensors: dict[str, Any]) -> None:
    data = safetensors.numpy.save(tensors, metadata={"flyweight": json.dumps(DOCUMENT)})
    read = model_file.parse(data).tensors
    assert read.keys() == tensors.keys()
    for name, array in tensors.items():
        assert read[name].shape == array.shape
        assert bytes(read[name].values) == array.tobytes()


@given(arrays)
def test_the_safetensors_library_reads_what_we_write(tensors: dict[str, Any]) -> None:
    data = model_writer.to_bytes({"name": "m"}, tensors)
    read = safetensors.numpy.load(data)
    for name, array in tensors.items():
        np.testing.assert_array_equal(read[name], array)


def test_a_file_keeps_its_document_and_its_hash(tmp_path: Any) -> None:
    data = model_writer.to_bytes({"name": "Ünïcode"}, {})
    model_writer.write(tmp_path / "deep" / "m.safetensors", data)
    read = model_file.read(str(tmp_path / "deep" / "m.safetensors"))
    assert read.document == {"format": 1, "name": "Ünïcode"}
    import hashlib

    assert read.sha256 == hashlib.sha256(data).hexdigest()


def tensor(dtype: Any = "F64", shape: Any = (1,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"t": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


EIGHT = b"\0" * 8
HOSTILE = {
    "empty": b"",
    "shorter than its length": b"\1\2\3",
    "header beyond the file": (10**6).to_bytes(8, "little") + b"{}",
    "header length near 2**64": b"\xff" * 8 + b"{}",
    "header not JSON": (3).to_bytes(8, "little") + b"{a}",
    "header not UTF-8": (3).to_bytes(8, "little") + b'"\xff"',
    "header a list": (2).to_bytes(8, "little") + b"[]",
    "no metadata": (2).to_bytes(8, "little") + b"{}",
    "document not JSON": raw("{"),
    "document a list": raw("[]"),
    "document with NaN": raw('{"format": NaN}'),
    "document with a key twice": raw('{"format": 1, "format": 1}'),
    "document nested too deeply": raw("[" * 100_000),
    "document with a number of 5000 digits": raw('{"format": ' + "1" * 5000 + "}"),
    "unknown format": raw({"format": 2}),
    "pickle dtype": raw(DOCUMENT, header=tensor("O"), extra=EIGHT),
    "dtype a list": raw(DOCUMENT, header=tensor(["F64"]), extra=EIGHT),
    "truncated data": raw(DOCUMENT, header=tensor(), extra=b"\0" * 7),
    "bytes after the data": raw(DOCUMENT, header=tensor(), extra=b"\0" * 9),
    "shape and bytes disagree": raw(DOCUMENT, header=tensor(shape=(2,)), extra=EIGHT),
    "negative shape": raw(DOCUMENT, header=tensor(shape=(-1,)), extra=EIGHT),
    "huge shape": raw(DOCUMENT, header=tensor(shape=(2**62, 2**62)), extra=EIGHT),
    "fractional shape": raw(DOCUMENT, header=tensor(shape=(1.0,)), extra=EIGHT),
    "shape of booleans": raw(DOCUMENT, header=tensor(shape=(True,)), extra=EIGHT),
    "offsets backwards": raw(DOCUMENT, header=tensor(offsets=(8, 0)), extra=EIGHT),
    "offsets beyond the data": raw(DOCUMENT, header=tensor(offsets=(8, 16)), extra=EIGHT),
    "one offset": raw(DOCUMENT, header=tensor(offsets=(0,)), extra=EIGHT),
    "gap before the data": raw(DOCUMENT, header=tensor(offsets=(8, 16)), extra=EIGHT * 2),
    "overlapping": raw(DOCUMENT, header={"t": tensor()["t"], "u": tensor()["t"]}, extra=EIGHT),
    "tensor not an object": raw(DOCUMENT, header={"t": 3}, extra=EIGHT),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(ModelRefused, match=r"\w+ .*\w"):
        model_file.parse(data)


def test_a_file_above_the_cap_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MAX_FILE_BYTES", 10)
    with pytest.raises(ModelRefused, match="larger than 10 bytes"):
        model_file.parse(raw(DOCUMENT))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_refusal(data: bytes) -> None:
    with pytest.raises(ModelRefused):
        model_file.parse(data)


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 10**6))
def test_a_damaged_file_is_refused_or_read_whole(place: int, value: int, length: int) -> None:
    data = bytearray(raw(DOCUMENT, {"a": np.arange(5.0), "b": np.arange(4, dtype=np.uint8)}))
    data[place % len(data)] = value
    try:
        file = model_file.parse(bytes(data[: length % (2 * len(data))]))
    except ModelRefused:
        return
    assert sum(tensor.values.nbytes for tensor in file.tensors.values()) == 44


def test_a_pickle_is_told_as_such() -> None:
    with pytest.raises(ModelRefused, match="this is a pickle, such as joblib writes of an estimator"):
        model_file.parse(pickle.dumps([*range(100)]))

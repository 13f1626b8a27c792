"""Tensors mean the same as JSON and as bytes; values outside a datatype and data outside a shape are refused by name."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import MalformedRequest
from flyweight.protocols import _tensors
from flyweight.protocols._tensors import Tensor

WHOLE = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "BOOL": st.booleans(),
    "BYTES": st.text(st.characters(exclude_categories=["Cs"])),
    "FP16": st.floats(width=16, allow_nan=False, allow_infinity=False),
    "FP32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "FP64": st.floats(allow_nan=False, allow_infinity=False),
    **{name: st.integers(*_tensors._bounds(name)) for name in WHOLE},
}


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """A tensor of any datatype with one or two dimensions."""
    datatype = draw(st.sampled_from(_tensors.DATATYPES))
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=2))
    count = math.prod(shape)
    return Tensor("x", datatype, shape, draw(st.lists(VALUES[datatype], min_size=count, max_size=count)))


@given(tensors())
def test_bytes_are_read_as_they_were_written(tensor: Tensor) -> None:
    assert _tensors.of_bytes(tensor.name, tensor.datatype, tensor.shape, memoryview(_tensors.to_bytes(tensor))) == tensor


@given(tensors())
def test_json_flat_or_nested_is_the_same_tensor_as_bytes(tensor: Tensor) -> None:
    nested = tensor.values
    if len(tensor.shape) == 2:
        width = tensor.shape[1]
        nested = [tensor.values[row * width : (row + 1) * width] for row in range(tensor.shape[0])]
    for data in (tensor.values, nested):
        assert _tensors.of_json(tensor.name, tensor.datatype, tensor.shape, data) == tensor


@pytest.mark.parametrize("datatype", _tensors.CODES)
def test_bytes_are_those_of_the_datatype_in_little_endian_order(datatype: str) -> None:
    sizes = {"BOOL": 1, **{name: int(name.lstrip("UINTFP")) // 8 for name in _tensors.CODES if name != "BOOL"}}
    written = _tensors.to_bytes(Tensor("x", datatype, [1], [True if datatype == "BOOL" else 1]))
    assert len(written) == sizes[datatype]
    assert written[0] == 1 or datatype.startswith("FP")


def test_half_floats_are_read_from_bytes() -> None:
    data = memoryview(struct.pack("<3e", 0.5, -2.0, 65504.0))
    assert _tensors.of_bytes("x", "FP16", [3], data).values == [0.5, -2.0, 65504.0]


def test_texts_have_their_length_before_them() -> None:
    assert _tensors.to_bytes(Tensor("x", "BYTES", [2], ["é", None])) == b"\x02\0\0\0\xc3\xa9\0\0\0\0"


def test_a_missing_number_is_nan_in_bytes() -> None:
    (value,) = struct.unpack("<d", _tensors.to_bytes(Tensor("x", "FP64", [1], [None])))
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        *[
            (name, value)
            for name in WHOLE
            for value in (_tensors._bounds(name)[0] - 1, _tensors._bounds(name)[1] + 1, 0.5, "1", True)
        ],
        *[("INT64", value) for value in (float("inf"), float("nan"), 10**400, [1], {})],
        *[("FP16", 65505), ("FP16", 1e300), ("FP32", 1e39), ("FP64", 10**400), ("FP64", "1"), ("FP64", True), ("FP32", {})],
        *[("BOOL", 2), ("BOOL", "true"), ("BYTES", 1), ("BYTES", True), ("BYTES", {"b64": ""})],
    ],
)
def test_a_value_outside_its_datatype_is_refused_with_its_instance(datatype: str, value: Any) -> None:
    sound = "a" if datatype == "BYTES" else 1
    with pytest.raises(MalformedRequest, match=r"instance 1 of tensor 'x': expected .*, got ") as caught:
        _tensors.of_json(
            "x", datatype, [2, 2], [sound, sound, sound, value] if not isinstance(value, list) else [[1, 1], [1, value]]
        )
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("datatype", WHOLE)
def test_a_whole_number_may_be_written_with_a_point(datatype: str) -> None:
    (value,) = _tensors.of_json("x", datatype, [1], [5.0]).values
    assert (value, type(value)) == (5, int)


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([2], [1]),
        ([2], [1, 2, 3]),
        ([2, 2], [[1, 2], [3]]),
        ([2, 2], [[1, 2]]),
        ([2, 2], [1, [2, 3]]),
        ([1], [[1]]),
        ([2], 1),
        ([1], None),
    ],
)
def test_data_that_do_not_have_the_shape_are_refused(shape: list[int], data: Any) -> None:
    with pytest.raises(MalformedRequest, match="tensor 'x'"):
        _tensors.of_json("x", "FP64", shape, data)


@pytest.mark.parametrize(
    ("datatype", "data", "words"),
    [
        ("FP64", b"\0" * 7, "should have 1 values, got 0"),
        ("FP64", b"\0" * 16, "should have 1 values, got 2"),
        ("BYTES", b"\x01\0\0", "break off in value 0"),
        ("BYTES", b"\x02\0\0\0a", "break off in value 0"),
        ("BYTES", b"\xff\xff\xff\xff", "break off in value 0"),
        ("BYTES", b"\x01\0\0\0\xff", "value 0 of tensor 'x' is not UTF-8"),
        ("BYTES", b"\0\0\0\0" * 2, "should have 1 values, got 2"),
    ],
)
def test_bytes_that_are_not_the_tensor_are_refused(datatype: str, data: bytes, words: str) -> None:
    with pytest.raises(MalformedRequest, match=words):
        _tensors.of_bytes("x", datatype, [1], memoryview(data))


@given(st.sampled_from(_tensors.DATATYPES), st.lists(st.integers(0, 9), min_size=1, max_size=3), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(datatype: str, shape: list[int], data: bytes) -> None:
    try:
        assert len(_tensors.of_bytes("x", datatype, shape, memoryview(data)).values) == math.prod(shape)
    except MalformedRequest:
        pass


@pytest.mark.parametrize(
    ("values", "datatype"),
    [
        ([True, False], "BOOL"),
        ([1, -5], "INT64"),
        ([1 << 63], "FP64"),
        ([1, 2.5], "FP64"),
        (["a"], "BYTES"),
        (["a", 1], "BYTES"),
        ([True, 1], "BYTES"),
        ([None, 1.0], "FP64"),
    ],
)
def test_answers_have_the_datatype_of_all_their_values(values: list[Any], datatype: str) -> None:
    assert _tensors.datatype_of(values) == datatype


def test_labels_of_mixed_kinds_are_texts() -> None:
    assert _tensors.of_answers("x", [3], ["a", 1, True], "BYTES").values == ["a", "1", "true"]


def test_large_tensors_are_refused_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    from flyweight.errors import TooLarge
    from flyweight.formats import memory

    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 20)
    with pytest.raises(TooLarge, match="MB of memory"):
        _tensors.of_bytes("x", "BOOL", [2 << 20], memoryview(bytes(2 << 20)))

"""NumPy's files are read as NumPy and scipy write them, written as NumPy reads them, and refused where they hold code."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from flyweight.errors import FlyweightError, MalformedRequest, NotAcceptable, TooLarge
from flyweight.formats import npy
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

WIDTH = 3
TYPES = [f"{order}{code}" for order in "<>" for code in npy.LETTERS]


def validator(width: int = WIDTH, **limits: int) -> Validator:
    features = [Feature(f"x{place}", "number", False) for place in range(width)]
    return Validator(Signature("regression", features, 1), Limits(**limits))


def saved(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def zipped(**parts: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **parts)
    return file.getvalue()


@given(
    st.sampled_from([dtype for dtype in TYPES if dtype != ">b1"]).flatmap(
        lambda dtype: arrays.arrays(np.dtype(dtype), st.tuples(st.integers(1, 5), st.just(WIDTH)))
    ),
    st.booleans(),
)
def test_numbers_are_read_as_numpy_writes_them(array: Any, by_column: bool) -> None:
    array = np.asfortranarray(array) if by_column else array
    read = npy.parse(saved(array), True, validator())
    np.testing.assert_array_equal(np.array(read, dtype=array.dtype), array)


@given(arrays.arrays(np.dtype("<U5"), (2, WIDTH)) | arrays.arrays(np.dtype(">U3"), (1, WIDTH)))
def test_texts_are_read_as_numpy_writes_them(array: Any) -> None:
    try:
        read = npy.parse(saved(array), True, validator())
    except MalformedRequest:  # half a character
        assert any("\ud800" <= letter <= "\udfff" for text in array.ravel() for letter in text)
        return
    assert read == array.tolist()


@given(
    st.lists(st.floats(), min_size=1)
    | st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1)
    | st.lists(st.booleans(), min_size=1)
    | st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1)
    | st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(st.floats(), min_size=width, max_size=width), min_size=1))
)
def test_what_is_written_numpy_reads(values: Any) -> None:
    read = np.load(io.BytesIO(npy.write(values)), allow_pickle=False)
    assert repr(read.tolist()) == repr(values)


@pytest.mark.parametrize("values", [[None, 1.0], ["a", 1], [[1.0, None]]], ids=repr)
def test_what_is_no_array_is_not_written(values: Any) -> None:
    with pytest.raises(NotAcceptable, match="no array of one kind"):
        npy.write(values)


def test_one_row_and_one_column_may_have_one_dimension() -> None:
    assert npy.parse(saved(np.arange(3.0)), True, validator()) == [[0.0, 1.0, 2.0]]
    assert npy.parse(saved(np.arange(3.0)), True, validator(1)) == [[0.0], [1.0], [2.0]]


def test_an_npz_holds_one_array_or_a_sparse_matrix() -> None:
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    file = io.BytesIO()
    sparse.save_npz(file, sparse.csr_matrix(dense))
    for body in (zipped(x=dense), file.getvalue()):
        assert npy.parse(body, False, validator()) == dense.tolist()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (saved(np.array([[{}, 1, 2]], dtype=object), allow_pickle=True), "pickle, which is code"),
        (saved(np.zeros((1, 3), dtype=[("a", "f8")])), "expected an array of numbers or texts"),
        (saved(np.zeros((1, 3), dtype="c16")), "is of the type '<c16'"),
        (saved(np.zeros((1, 3), dtype="M8[s]")), "is of the type"),
        (saved(np.zeros((1, 1, 3))), "at most two dimensions"),
        (saved(np.zeros((2, 2))), "the shape (instances, 3), got (2, 2)"),
        (saved(np.zeros((2, 3)))[:-1], "has 47 bytes; its header promises 48"),
        (pickle.dumps([1]), "no npy file"),
        (b"", "no npy file"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "no header that NumPy writes"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, "no header that NumPy writes"),
        (b"\x93NUMPY\x01\x00\x04\x00{}  ", "no header that NumPy writes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_not_served_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        npy.parse(body, True, validator())
    assert words in str(caught.value)


def test_work_and_memory_stay_in_proportion() -> None:
    """A header that promises much, zeros that unpack to much, and a sparse matrix of nothing are refused before they are made."""
    huge = saved(np.zeros((1, 3))).replace(b"(1, 3)", b"(9**9,)"[:6])
    with pytest.raises(FlyweightError):
        npy.parse(huge, True, validator())
    promise = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }"
    with pytest.raises(TooLarge):
        npy.parse(b"\x93NUMPY\x01\x00" + len(promise).to_bytes(2, "little") + promise, True, validator())
    with pytest.raises(TooLarge, match="more than 1000000 bytes"):
        npy.parse(zipped(x=np.zeros((100_000, 3))), False, validator(max_body_bytes=1_000_000))
    file = io.BytesIO()
    sparse.save_npz(file, sparse.csr_matrix((900, 1_000_000)))
    with pytest.raises(TooLarge, match="too much memory"):
        npy.parse(file.getvalue(), False, validator(1_000_000))


def test_a_damaged_sparse_matrix_is_refused() -> None:
    good: dict[str, Any] = {"data": [1.0], "indices": [0], "indptr": [0, 1], "shape": [1, 3], "format": "csr"}
    good = {name: np.array(value) for name, value in good.items()}
    assert npy.parse(zipped(**good), False, validator()) == [[1.0, 0.0, 0.0]]
    for name, value in (
        ("indices", [3]),
        ("indices", [-1]),
        ("indptr", [0, 2]),
        ("indptr", [1, 1]),
        ("indptr", [0]),
        ("format", "csc"),
        ("shape", [-1, 3]),
        ("shape", [1, -3]),
        ("data", ["a"]),
        ("data", [b"a"]),
    ):
        with pytest.raises(MalformedRequest):
            npy.parse(zipped(**{**good, name: np.array(value)}), False, validator())
    with pytest.raises(MalformedRequest):
        npy.parse(zipped(**{**good, "indices": np.array([0.5])}), False, validator())
    nothing = {**good, "shape": np.array([-1, 3]), **dict.fromkeys(("data", "indices", "indptr"), np.array([], dtype=int))}
    with pytest.raises(MalformedRequest):
        npy.parse(zipped(**nothing), False, validator())


@pytest.mark.parametrize("kind", ["<f8", "<U0", "|S0", "<U99999999"])
@pytest.mark.parametrize("shape", ["(99999999999999999999999,)", "(5, 3)", "(1, 0)"])
def test_an_array_without_the_values_that_its_header_promises_is_refused(shape: str, kind: str) -> None:
    promise = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    body = b"\x93NUMPY\x01\x00" + len(promise).to_bytes(2, "little") + promise
    parts = dict.fromkeys(("indices", "indptr", "shape", "format"), saved(np.array([1])))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in {**parts, "data": body}.items():
            archive.writestr(f"{name}.npy", part)
    for whole, is_npy in ((body, True), (file.getvalue(), False)):
        with pytest.raises(FlyweightError):
            npy.parse(whole, is_npy, validator())


@pytest.mark.parametrize("shape", [f"(0x{'f' * 6000},)", f"({'9' * 4000}, {'9' * 4000})", f"(0x{'f' * 6000}, 0)"], ids=len)
def test_a_shape_with_more_digits_than_python_writes_is_refused(shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    body = npy.MAGIC + b"\x01\x00" + len(header).to_bytes(2, "little") + header
    with pytest.raises(MalformedRequest, match="in at most two dimensions"):
        npy.parse(body, True, validator())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_npz_that_numpy_does_not_write_is_refused_before_it_is_unpacked(method: int) -> None:
    """A hundred bytes of bzip2 hold megabytes, which are unpacked at once; damaged LZMA has an exception of its own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x.npy", saved(np.zeros((1, WIDTH))))
    with pytest.raises(MalformedRequest, match="compressed in another way than NumPy"):
        npy.parse(file.getvalue(), False, validator())


@given(st.binary(max_size=200), st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_but_errors_of_our_own(head: bytes, tail: bytes, is_npy: bool) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY" + head)
    for body in (
        head,
        b"\x93NUMPY" + head,
        saved(np.zeros((1, 3)))[: len(head)] + tail,
        file.getvalue(),
        file.getvalue()[: len(head)],
    ):
        try:
            npy.parse(body, is_npy, validator())
        except FlyweightError:
            pass


def test_a_file_of_another_byte_order_or_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.ones((2, 3), dtype=">f4"), version=(2, 0))
    assert npy.parse(path.read_bytes(), True, validator()) == [[1.0] * 3] * 2

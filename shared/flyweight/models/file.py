"""Read one model file: check its bytes and find its document and its arrays. Every file is hostile until checked.

A model file is a safetensors file (https://github.com/huggingface/safetensors#format): eight bytes of header length,
a JSON header, then raw little-endian arrays. Its `__metadata__` carries one JSON document under `flyweight`.
"""

import os
import sys
from math import prod

from flyweight import strict_json
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap
    from typing import Any

FORMAT = 1
MAX_FILE_BYTES = 1 << 30
MAPPED_BYTES = 4 << 20  # reading takes 22 us a MB and the memory; mapping 10 us, and 200 us once to import it (Python 3.13)
MAX_HEADER_BYTES = 100_000_000  # the cap that the safetensors library itself puts on a header
MAX_TENSORS = 100_000
MAX_PLACES = 1_000_000  # of all tensors without bytes together: a shape of (10**9, 0) would be a billion empty rows

# from safetensors' name of a type to its size in bytes and its code for memoryview
DTYPES = {
    "F64": (8, "d"),
    "F32": (4, "f"),
    "I64": (8, "q"),
    "I32": (4, "i"),
    "I16": (2, "h"),
    "U32": (4, "I"),
    "U16": (2, "H"),
    "U8": (1, "B"),
}


class Tensor:
    """One array of a model file, row-major, read in place.

    `shape`: its dimensions; `values`: a flat view of its numbers.
    """

    __slots__ = ("dtype", "shape", "values")

    def __init__(self, dtype: str, shape: "tuple[int, ...]", values: "memoryview[Any]") -> None:
        self.dtype = dtype
        self.shape = shape
        self.values = values


class ModelFile:
    """A model file whose structure is sound: its bytes, its document, and its tensors by name."""

    __slots__ = ("data", "document", "tensors")

    def __init__(self, data: "bytes | mmap", document: "dict[str, Any]", tensors: "dict[str, Tensor]") -> None:
        self.data = data
        self.document = document
        self.tensors = tensors

    @property
    def sha256(self) -> str:
        """The hash that names this file, in hexadecimal (hashlib is imported late: no prediction needs it)."""
        import hashlib

        return hashlib.sha256(self.data).hexdigest()


def read(path: str) -> ModelFile:
    """Read and check one model file, see `contents`.

    :raises ModelRefused: the file fails a check.
    :raises OSError: the file can't be opened.
    """
    return parse(contents(path))


def contents(path: str) -> "bytes | mmap":
    """Get the bytes of a file; a large one is mapped, so that a page is read only when it is used.

    A mapped file may be replaced (by renaming another one onto it), but never be shortened or written over in place.

    :raises ModelRefused: a pipe or a device, which may have no end.
    :raises OSError: the file can't be opened.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & 0o170000 != 0o100000:
            raise ModelRefused(f"{path} is not a file but a device or a pipe, of which the end is not known")
        if status.st_size < MAPPED_BYTES:
            return file.read(status.st_size + 1)
        import mmap

        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def parse(data: "bytes | mmap") -> ModelFile:
    """Check the bytes of one model file and find its document and its tensors.

    :param data: the whole file.
    :raises ModelRefused: the file is truncated, too large, not a model file, or of another format.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ModelRefused(f"the file is larger than {MAX_FILE_BYTES} bytes")
    if len(data) < 8:
        raise ModelRefused(f"the file is truncated: {len(data)} bytes, but the header's length alone takes 8")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES or 8 + length > len(data):
        claim = f"its header claims {length} bytes, but {len(data) - 8} follow"
        raise ModelRefused(f"this is not a safetensors file, or it is truncated: {claim}")
    header = json_object(data[8 : 8 + length], "the header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get("flyweight"), str):
        raise ModelRefused("this is not a flyweight model file: its metadata has no 'flyweight' document")
    document = json_object(metadata["flyweight"], "the flyweight document")
    if document.get("format") != FORMAT:
        raise ModelRefused(
            f"format {preview(document.get('format'))} is not supported by this version of flyweight, which reads {FORMAT}; "
            "pack the model again, or update flyweight"
        )
    return ModelFile(data, document, _tensors(header, memoryview(data)[8 + length :]))


def json_object(text: "bytes | str", name: str) -> "dict[str, Any]":
    """Parse an object of strict JSON.

    :param name: what the text is, for the message.
    :raises ModelRefused: not an object, a duplicate key, or NaN/Infinity.
    """
    try:
        value = strict_json.parse(text)
    except strict_json.NotStrictJSON as error:
        raise ModelRefused(f"{name} {error}") from None
    if not isinstance(value, dict):
        raise ModelRefused(f"{name} is not a JSON object")
    return value


def _tensors(header: "dict[str, Any]", body: memoryview) -> "dict[str, Tensor]":
    """Find the tensors of a header.

    :param body: the file's bytes after the header.
    :raises ModelRefused: a malformed tensor, too many, or tensors that do not cover the body exactly, without gap or overlap.
    """
    if len(header) > MAX_TENSORS:
        raise ModelRefused(f"the file has {len(header)} tensors, the limit is {MAX_TENSORS}")
    tensors, spans, places = {}, [], 0
    for name, entry in header.items():
        tensors[name], span = _tensor(name, entry, body)
        spans.append(span)
        places += 0 if span[0] < span[1] else prod([dimension or 1 for dimension in tensors[name].shape])
    if places > MAX_PLACES:
        raise ModelRefused(f"tensors without values claim {places} places, the limit is {MAX_PLACES}")
    spans.sort()
    end = 0
    for begin, stop in spans:
        if begin != end:
            raise ModelRefused(f"the tensors overlap or leave a gap at byte {min(begin, end)} of the data")
        end = stop
    if end != len(body):
        raise ModelRefused(f"the tensors take {end} bytes of data, but the file has {len(body)}")
    return tensors


def _tensor(name: str, entry: "Any", body: memoryview) -> "tuple[Tensor, tuple[int, int]]":
    """Find one tensor, and the begin and end of its bytes in the body.

    :raises ModelRefused: its dtype is unknown, or its shape and offsets do not fit the body.
    """
    entry = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelRefused(f"tensor {name!r} has dtype {preview(dtype)}, expected one of {', '.join(DTYPES)}")
    if not _counts(shape) or len(shape) > 8 or not _counts(offsets) or len(offsets) != 2:
        raise ModelRefused(f"tensor {name!r} has a malformed shape or data_offsets")
    size, code = DTYPES[dtype]
    begin, end = offsets
    for dimension in shape:
        size *= dimension
    if not begin <= end <= len(body) or end - begin != size:
        raise ModelRefused(
            f"tensor {name!r} claims bytes {begin} to {end} for {size} bytes of values, but the file has {len(body)}"
        )
    return Tensor(dtype, tuple(shape), _view(body[begin:end], code)), (begin, end)


def _view(raw: memoryview, code: "Any") -> "memoryview[Any]":
    """View little-endian bytes as numbers of a memoryview code."""
    if sys.byteorder == "big" and code != "B":  # the file is little-endian; no cloud is big-endian, some machines are
        import array

        swapped = array.array(code, raw.tobytes())
        swapped.byteswap()
        return memoryview(swapped)
    view: memoryview[Any] = raw.cast(code)
    return view


def _counts(values: "Any") -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)

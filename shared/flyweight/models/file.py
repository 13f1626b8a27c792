"""Read one model file: check its bytes and find its document and its arrays. Every file is hostile until checked.

A model file is a safetensors file (https://github.com/huggingface/safetensors#format): eight bytes of header length,
a JSON header, then raw little-endian arrays. Its `__metadata__` carries one JSON document under `flyweight`, and before that the
digest of the whole file, so that a damaged file is refused before anything in it is used (docs/decisions/0027).
"""

# imports late: zlib

import sys
from math import prod

from flyweight import strict_json
from flyweight.errors import ModelRefused, preview
from flyweight.models.signature import Signature

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap
    from typing import Any

FORMAT = 1
MAX_FILE_BYTES = 1 << 30
MAPPED_BYTES = 4 << 20  # reading takes 22 us a MB and the memory; mapping 10 us, and 200 us once to import it (Python 3.13)
MAX_HEADER_BYTES = 32_000_000  # the safetensors library reads 100 MB, whose objects may take 2 GB of memory
MAX_HEADER_ITEMS = 3_000_000  # values, names and lists: each takes at most 72 bytes of memory
MAX_TENSORS = 100_000
MAX_PLACES = 1_000_000  # of all tensors without bytes together: a shape of (10**9, 0) would be a billion empty rows

# The digest of a file (docs/decisions/0027): the header begins with this prefix, and sixteen hexadecimal digits follow.
DIGEST_PREFIX = b'{"__metadata__":{"digest":"'
DIGEST_BLANK = b"0" * 16  # stands for them where the digest is computed
DIGEST_PRIME = (1 << 61) - 1
DIGEST_PIECE = 2048  # bytes that are one number
CRC_BYTES = 400_000  # from here on CRC-32 is quicker, though zlib has to be imported for it

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

    __slots__ = ("_signature", "data", "document", "tensors")

    def __init__(self, data: "bytes | mmap", document: "dict[str, Any]", tensors: "dict[str, Tensor]") -> None:
        self.data = data
        self.document = document
        self.tensors = tensors
        self._signature: Signature | None = None

    @property
    def signature(self) -> Signature:
        """The inputs and outputs, which are checked once.

        :raises ModelRefused: the document's signature is malformed.
        """
        if self._signature is None:
            self._signature = Signature.of(self.document)
        return self._signature

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
    if 8 + length > len(data):
        if data[0] == 0x80 and data[1] <= 5:  # as every pickle since Python 2.3 begins
            raise ModelRefused("this is a pickle, such as joblib writes of an estimator; it is not a safetensors file")
        claim = f"its header claims {length} bytes, but {len(data) - 8} follow"
        raise ModelRefused(f"this is not a safetensors file, or it is truncated: {claim}")
    if length > MAX_HEADER_BYTES:
        raise ModelRefused(f"the header has {length} bytes, the limit is {MAX_HEADER_BYTES}")
    is_checked = _has_digest(data)
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
    if document.pop("digested", False) and not is_checked:
        raise ModelRefused(*DAMAGED)
    return ModelFile(data, document, _tensors(header, memoryview(data)[8 + length :]))


DAMAGED = ("the file was damaged, or changed after it was written", "copy or fetch it again, or pack the model again")


def digest(data: "bytes | mmap") -> bytes:
    """Compute the digest of a file that has one, over all its bytes, with zeros in place of the digest itself.

    Of a large file it is its CRC-32. Of another one it is a remainder: pieces of DIGEST_PIECE bytes are little-endian numbers,
    and each is added to five times the number before, the length at first. Files that differ in one byte differ in both.

    :returns: sixteen hexadecimal digits.
    """
    begin = 8 + len(DIGEST_PREFIX)
    end = begin + len(DIGEST_BLANK)
    if len(data) >= CRC_BYTES:
        from zlib import crc32

        view = memoryview(data)
        return b"%016x" % crc32(view[end:], crc32(DIGEST_BLANK, crc32(view[:begin])))
    whole, number = data[:begin] + DIGEST_BLANK + data[end:], len(data)
    for start in range(0, len(whole), DIGEST_PIECE):
        number = 5 * number + int.from_bytes(whole[start : start + DIGEST_PIECE], "little")
    return b"%016x" % (number % DIGEST_PRIME)


def _has_digest(data: "bytes | mmap") -> bool:
    """Check the digest of a file.

    :returns: whether it has one; files of an older flyweight have none.
    :raises ModelRefused: its bytes are not those that were written.
    """
    begin = 8 + len(DIGEST_PREFIX)
    if data[8:begin] != DIGEST_PREFIX:
        return False
    if data[begin : begin + len(DIGEST_BLANK)] != digest(data):
        raise ModelRefused(*DAMAGED)
    return True


def json_object(text: "bytes | str", name: str) -> "dict[str, Any]":
    """Parse an object of strict JSON.

    :param name: what the text is, for the message.
    :raises ModelRefused: not an object, a duplicate key, NaN/Infinity, or more values than MAX_HEADER_ITEMS.
    """
    if len(text) > MAX_HEADER_ITEMS:  # a shorter text can't have as many
        marks: Any = "[{:," if isinstance(text, str) else (b"[", b"{", b":", b",")
        items = sum([text.count(mark) for mark in marks])
        if items > MAX_HEADER_ITEMS:
            raise ModelRefused(f"{name} has {items} values, the limit is {MAX_HEADER_ITEMS}")
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

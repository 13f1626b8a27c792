"""Reads the bytes of a pickle, decompressed piece by piece and within limits.

A compressed file is recognized by its first bytes, as joblib does it (`joblib.numpy_pickle_utils._detect_compressor`).
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from codecs import escape_decode
from collections.abc import Callable
from functools import partial
from pickle import decode_long
from typing import Any, BinaryIO
from warnings import catch_warnings

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.pickles.versions import Records

MAX_BYTES = 4 * 2**30  # of one file, decompressed
MAX_STEPS = 5_000_000  # instructions; a vocabulary of a million words takes 3 million
MAX_TEXT = 256 * 2**20  # bytes of text that are kept
LONG = 4096  # bytes; a longer text or number is skipped, since no name, version or parameter is that long
_LEAST_MODEL = 256  # bytes; a saved booster is longer
MAX_LINE = 64 * 2**20  # bytes of a line of protocol 0, whose texts end with their line
_MAX_MEMORY = 256 * 2**20  # bytes that an xz header may ask of the decoder; its strongest preset takes 65 MiB
_BLOCK = 1 << 16


class PickleRefused(ToolkitError):
    """A file that can't be read as a pickle; the message says why, and at which byte."""

    next_step = "dump the estimator again with joblib.dump"


def _lz4() -> Any:
    """Make a decompressor for lz4.

    :raises PickleRefused: the package lz4 is not installed.
    """
    try:
        from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise PickleRefused("the file is compressed with lz4, which is not installed here", "pip install lz4") from None
    return LZ4FrameDecompressor()


def _lzma() -> Any:
    return lzma.LZMADecompressor(memlimit=_MAX_MEMORY)


# name -> (first bytes, decompressor), as in joblib.compressor
_COMPRESSIONS: dict[str, tuple[bytes, Callable[[], Any]]] = {
    "zlib": (b"\x78", zlib.decompressobj),
    "gzip": (b"\x1f\x8b", lambda: zlib.decompressobj(16 + zlib.MAX_WBITS)),
    "bz2": (b"BZ", bz2.BZ2Decompressor),
    "lzma": (b"\x5d\x00", _lzma),
    "xz": (b"\xfd\x37\x7a\x58\x5a", _lzma),
    "lz4": (b"\x04\x22\x4d\x18", _lz4),
}


def compression(start: bytes) -> str | None:
    """Find the compression of a file by its first bytes; None if it is not compressed."""
    return next((name for name, (prefix, _) in _COMPRESSIONS.items() if start.startswith(prefix)), None)


def looks_like_pickle(start: bytes, end: bytes) -> bool:
    """Check by a file's first 16 bytes and its last whether it is meant to be a pickle, and not a safetensors file.

    Pickles of protocols 0 and 1 have no mark at their beginning: they begin with the instruction for a container, a class or a
    text, and end with STOP.
    """
    if start[8:9] == b"{" and start[4:8] == bytes(4):  # a length of less than 4 GiB, and JSON
        return False
    return (
        start[:1] == b"\x80" or start[:2] == b"ZF" or compression(start) is not None or (start[:1] in b"(]})ci" and end == b".")
    )


class Bulk:
    """A stand-in for bytes that were skipped."""

    __slots__ = ()


BULK = Bulk()


class Source:
    """Reads exact numbers of bytes from a file, compressed or not; every failure is a `PickleRefused`.

    `position`, `steps` and `text` count the bytes, the instructions and the bytes of text that were read. `records` has the
    versions that boosters inside record.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Open a source over an open file.

        :raises PickleRefused: the file was written by a joblib before 0.10, or its decompressor is not installed.
        """
        start = file.read(16)
        file.seek(0)
        if start.startswith(b"ZF"):
            raise PickleRefused("the file was written by a joblib before 0.10")
        self.compression = compression(start)
        self.position = self.steps = self.text = 0
        self.records = Records()
        if self.compression is None:
            self._file: Any = file
        else:
            self._file = io.BufferedReader(_Decompressed(file, _COMPRESSIONS[self.compression][1]()), _BLOCK)

    def read(self, count: int) -> bytes:
        """Read exactly `count` bytes; the caller keeps the number small.

        :raises PickleRefused: the file has fewer, or is too long.
        """
        data = self._taken(self._file.read, count)
        if len(data) != count:
            raise self.damaged("it is truncated")
        if count >= _LEAST_MODEL:
            self.records.look(data)
        return data

    def number(self, form: str) -> Any:
        """Read one number of a fixed size.

        :param form: its format for `struct`.
        """
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def sized(self, form: str, decode: Callable[[bytes], Any]) -> Any:
        """Read a length, then that number of bytes.

        :param form: the length's format for `struct`.
        :returns: the decoded bytes; `BULK` if there are more than `LONG`.
        :raises PickleRefused: the length is negative, or the file has fewer bytes.
        """
        count = self.number(form)
        if count < 0:
            raise self.damaged("a length is negative")
        if count <= LONG:
            return decode(self._kept(self.read(count)))
        self.skip(count)
        return BULK

    def line(self, decode: Callable[[bytes], Any]) -> Any:
        """Read the bytes up to the next newline.

        :returns: the decoded bytes; `BULK` if there are more than `LONG`.
        :raises PickleRefused: no newline follows within `MAX_LINE` bytes.
        """
        data = self._taken(self._file.readline, MAX_LINE)
        if not data.endswith(b"\n"):
            raise self.damaged("a line has no end")
        return decode(self._kept(data[:-1])) if len(data) <= LONG else BULK

    def skip(self, count: int) -> None:
        """Skip `count` bytes, piece by piece, since the number comes from the file and may be false.

        :raises PickleRefused: the file has fewer bytes, or the number is not possible.
        """
        if not 0 <= count <= MAX_BYTES:  # with a negative number, `read` would read to the end
            raise self.damaged(f"it claims {count:.3g} bytes in one piece")
        while count:
            count -= len(self.read(min(count, _BLOCK)))

    def step(self) -> bytes:
        """Read the code of the next instruction, and count it.

        :raises PickleRefused: there are more than `MAX_STEPS` instructions, or the file ends.
        """
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.damaged(f"it has more than {MAX_STEPS} instructions")
        return self.read(1)

    def damaged(self, what: str) -> PickleRefused:
        """Build the error that refuses the file, with the current position."""
        return PickleRefused(f"not a pickle that can be read: {what} (at byte {self.position})")

    def _kept(self, data: bytes) -> bytes:
        """Count bytes of text that are kept, and return them.

        :raises PickleRefused: more than `MAX_TEXT` bytes are kept.
        """
        self.text += len(data)
        if self.text > MAX_TEXT:
            raise self.damaged(f"it holds more than {MAX_TEXT // 2**20} MiB of text")
        return data

    def _taken(self, read: Callable[[int], bytes], count: int) -> bytes:
        """Call a method of the file that reads at most `count` bytes, and count what it read.

        :raises PickleRefused: the compressed data is damaged, or the file is longer than `MAX_BYTES`.
        """
        try:
            data = read(count)
        except (EOFError, OSError, zlib.error, lzma.LZMAError, RuntimeError) as error:  # lz4 raises RuntimeError
            raise self.damaged(f"its compressed data is damaged: {error}") from None
        self.position += len(data)
        if self.position > MAX_BYTES:
            raise self.damaged(f"it is longer than {MAX_BYTES // 2**30} GiB")
        return data


class _Decompressed(io.RawIOBase):
    """Makes a compressed file readable, without holding more data than is asked for."""

    def __init__(self, file: BinaryIO, decompressor: Any) -> None:
        self._compressed, self._decompressor = file, decompressor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        decompressor = self._decompressor
        while not decompressor.eof:
            block = getattr(decompressor, "unconsumed_tail", b"")  # zlib returns what it did not use, the others keep it
            if not block and getattr(decompressor, "needs_input", True):
                block = self._compressed.read(_BLOCK)
            data = decompressor.decompress(block, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            if not block:
                break
        return 0


def _integer(data: bytes) -> int:
    return int(data) if data in (b"00", b"01") else int(data.removesuffix(b"L"), 0)


def _quoted(data: bytes) -> str:
    """Decode a text of protocol 0, which is quoted and has escapes as in a program; unknown ones stay as they are."""
    with catch_warnings(action="ignore"):
        return _latin(escape_decode(data[1:-1])[0])


_utf8 = partial(str, encoding="utf-8", errors="surrogatepass")
_latin = partial(str, encoding="latin-1")
_NUMBERS = {"uint1": "<B", "uint2": "<H", "int4": "<i", "uint4": "<I", "uint8": "<Q", "float8": ">d"}
_SIZED: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    "long1": ("<B", decode_long),
    "long4": ("<i", decode_long),
    "string1": ("<B", _latin),
    "string4": ("<i", _latin),
    "bytes1": ("<B", bytes),
    "bytes4": ("<I", bytes),
    "bytes8": ("<Q", bytes),
    "bytearray8": ("<Q", bytes),
    "unicodestring1": ("<B", _utf8),
    "unicodestring4": ("<I", _utf8),
    "unicodestring8": ("<Q", _utf8),
}
_LINES: dict[str, Callable[[bytes], Any]] = {
    "decimalnl_short": _integer,
    "decimalnl_long": _integer,
    "floatnl": float,
    "stringnl": _quoted,
    "stringnl_noescape": _latin,
    "unicodestringnl": partial(str, encoding="raw-unicode-escape"),
}
# the kind of an argument, by its name in pickletools -> the function that reads it
ARGUMENTS: dict[str, Callable[[Source], Any]] = {
    **{name: partial(lambda form, source: source.number(form), form) for name, form in _NUMBERS.items()},
    **{name: partial(lambda form, source: source.sized(*form), form) for name, form in _SIZED.items()},
    **{name: partial(lambda decode, source: source.line(decode), decode) for name, decode in _LINES.items()},
    "stringnl_noescape_pair": lambda source: (source.line(_utf8), source.line(_utf8)),
}

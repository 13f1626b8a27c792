"""Compressed bytes in chunks to plain bytes in chunks of bounded size: gzip, and zstd where a library for it is."""

# imports late: compression, zstandard

from flyweight.errors import MalformedRequest, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

SLICE = 1024  # compressed bytes at once: zstd can make 128 KiB of a few bytes, and one of its libraries has no limit of its own
GATHERED = 1 << 20


def plain(chunks: "Iterable[bytes]", compression: str) -> "Iterator[bytes]":
    """What compressed chunks hold; "" is no compression.

    :raises MalformedRequest: the bytes are not so compressed, or break off.
    :raises UnsupportedMediaType: no library for it is here.
    """
    if not compression:
        return iter(chunks)
    return _gathered(_decompressed(chunks, compression, *DECOMPRESSORS[compression]()))


def _decompressed(
    chunks: "Iterable[bytes]", compression: str, make: "Callable[[], Any]", broken: "type[Exception]"
) -> "Iterator[bytes]":
    """Member after member, each by a decompressor of its own."""
    inner: Any = None
    for chunk in chunks:
        for start in range(0, len(chunk), SLICE):
            data = chunk[start : start + SLICE]
            while data := data if inner is not None else data.lstrip(b"\0"):  # some writers pad with zeros between members
                inner = inner or make()
                try:
                    yield inner.decompress(data)
                except broken as error:
                    raise MalformedRequest(f"the bytes are not {compression}: {error}") from None
                inner, data = (None, inner.unused_data) if inner.eof else (inner, b"")
    if inner is not None:
        raise MalformedRequest(f"the {compression} stream breaks off: its end is missing")


def _gathered(pieces: "Iterator[bytes]") -> "Iterator[bytes]":
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= GATHERED:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


def _gzip() -> "tuple[Callable[[], Any], type[Exception]]":
    import zlib

    return lambda: zlib.decompressobj(wbits=31), zlib.error


def _zstd() -> "tuple[Callable[[], Any], type[Exception]]":
    try:
        from compression import zstd  # Python 3.14 has it
    except ImportError:
        pass
    else:
        return zstd.ZstdDecompressor, zstd.ZstdError
    try:
        import zstandard
    except ImportError:
        raise UnsupportedMediaType("zstd needs Python 3.14, or zstandard, which is not installed here") from None
    return lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


DECOMPRESSORS: "dict[str, Callable[[], tuple[Callable[[], Any], type[Exception]]]]" = {"gzip": _gzip, "zstd": _zstd}

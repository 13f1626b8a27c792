"""Decompress streams of gzip, and of zstd if a library for it is installed, into chunks of bounded size."""

# imports late: compression, zstandard

from flyweight.errors import MalformedRequest, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

# bytes that are decompressed at once: zstd can make 128 KiB of a few bytes, and one of its libraries has no limit of its own
SLICE = 1024
MIN_CHUNK = 1 << 20  # bytes of each chunk but the last


def plain(chunks: "Iterable[bytes]", compression: str) -> "Iterator[bytes]":
    """Decompress a stream of chunks.

    :param compression: "gzip", "zstd", or "" for chunks that are not compressed.
    :returns: the plain bytes in chunks of about 1 MiB; the chunks themselves if they are not compressed.
    :raises MalformedRequest: the bytes are not compressed in this way, or break off.
    :raises UnsupportedMediaType: no library for the compression is installed.
    """
    if not compression:
        return iter(chunks)
    return _gathered(_decompressed(chunks, compression, *DECOMPRESSORS[compression]()))


def _decompressed(
    chunks: "Iterable[bytes]", compression: str, make: "Callable[[], Any]", broken: "type[Exception]"
) -> "Iterator[bytes]":
    """Decompress member after member, each by a decompressor of its own.

    :param make: makes a decompressor.
    :param broken: the exception that a decompressor raises for malformed bytes.
    :raises MalformedRequest: the bytes are malformed or break off.
    """
    decompressor: Any = None
    for chunk in chunks:
        for start in range(0, len(chunk), SLICE):
            data = chunk[start : start + SLICE]
            while data := data if decompressor is not None else data.lstrip(b"\0"):  # some writers pad members with zeros
                decompressor = decompressor or make()
                try:
                    yield decompressor.decompress(data)
                except broken as error:
                    raise MalformedRequest(f"the bytes are not {compression}: {error}") from None
                decompressor, data = (None, decompressor.unused_data) if decompressor.eof else (decompressor, b"")
    if decompressor is not None:
        raise MalformedRequest(f"the {compression} stream breaks off: its end is missing")


def _gathered(pieces: "Iterator[bytes]") -> "Iterator[bytes]":
    """Join small pieces to chunks of at least MIN_CHUNK bytes, but for the last."""
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= MIN_CHUNK:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


def _gzip() -> "tuple[Callable[[], Any], type[Exception]]":
    """Get the maker of decompressors of gzip, and the exception that they raise."""
    import zlib

    return lambda: zlib.decompressobj(wbits=31), zlib.error


def _zstd() -> "tuple[Callable[[], Any], type[Exception]]":
    """Get the maker of decompressors of zstd, and the exception that they raise.

    :raises UnsupportedMediaType: neither Python nor an installed library has zstd.
    """
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

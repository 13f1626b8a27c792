"""Decompress gzip, deflate, and zstd if a library for it is installed, into chunks of bounded size; compress answers."""

# imports late: backports, compression, zstandard

from flyweight.errors import MalformedRequest, TooLarge, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

# bytes that are decompressed at once: zstd can make 128 KiB of a few bytes, and one of its libraries has no limit of its own
SLICE = 1024
MIN_CHUNK = 1 << 20  # bytes of each chunk but the last
MAX_CODINGS = 2  # of one body; more than one is rare, and each costs time
MAX_MEMBERS = 1000  # of one body: each takes a new decompressor, which costs more than its bytes
# of zstd: a decompressor needs memory of this size, two to this power. Over HTTP senders keep to the first number
# (https://www.rfc-editor.org/rfc/rfc9659#section-3); the second one is what zstd's own tools take
HTTP_WINDOW_LOG, FILE_WINDOW_LOG = 23, 27
ALIASES = {"x-gzip": "gzip"}  # https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.3
GZIP_LEVEL = 1  # answers are mostly digits: level 6 makes 30,000 rows of them 7 % smaller in seven times the time


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


def unpacked(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Undo the content codings of a body, the last one first; neither the result nor a step to it is larger than allowed.

    :param content_encoding: the header: names of codings with commas between them, in any letter case.
    :param max_bytes: the largest size, of the compressed body as well.
    :raises UnsupportedMediaType: a coding is not supported, or there are too many.
    :raises MalformedRequest: the bytes are not compressed in this way, break off, or go on after their end.
    :raises TooLarge: there are more bytes than allowed.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    codings = [ALIASES.get(name, name) for name in names if name not in ("", "identity")]
    unknown = [name for name in codings if not _is_available(name)]
    if unknown or len(codings) > MAX_CODINGS:
        taken, many = supported(), f"{len(codings)} content codings are too many"
        problem = f"content encoding {unknown[0][:50]!r} is not supported" if unknown else many
        raise UnsupportedMediaType(f"{problem}; send the body in {taken}, or uncompressed", {"accept-encoding": taken})
    if codings and len(body) > max_bytes:
        raise TooLarge(f"the compressed body has {len(body)} bytes, the limit is {max_bytes}")
    for coding in reversed(codings):
        body = _bounded(body, coding, max_bytes)
    return body


def supported() -> str:
    """List the content codings that are supported here, with commas between them."""
    return ", ".join([name for name in DECOMPRESSORS if _is_available(name)])


def _is_available(name: str) -> bool:
    """Tell whether there is a decompressor for a content coding, and the library that it needs."""
    try:
        DECOMPRESSORS[name]()
    except (KeyError, UnsupportedMediaType):
        return False
    return True


def gzipped(body: bytes) -> bytes:
    """Compress a body; the same bytes give the same result at any time."""
    import zlib

    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    return compressor.compress(body) + compressor.flush()


def gzipped_blocks(blocks: "Iterable[bytes]") -> "Iterator[bytes]":
    """Compress blocks as they come."""
    import zlib

    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    for block in blocks:
        if compressed := compressor.compress(block):
            yield compressed
    yield compressor.flush()


def _bounded(body: bytes, coding: str, max_bytes: int) -> bytes:
    """Undo one coding; it stops as soon as there are more bytes than allowed.

    :raises MalformedRequest: the bytes are not compressed in this way, break off, or go on after their end.
    :raises TooLarge: there are more bytes than allowed.
    """
    make, broken = _zstd(HTTP_WINDOW_LOG) if coding == "zstd" else DECOMPRESSORS[coding]()
    raw = coding == "deflate" and body[:1] and not _has_zlib_header(body)
    pieces, size, members, rest = list[bytes](), 0, 0, memoryview(body)
    while members == 0 or len(rest):
        members += 1
        if members > (1 if coding == "deflate" else MAX_MEMBERS):
            raise MalformedRequest(f"the {coding} body goes on after its end")
        decompressor = _raw_deflate() if raw else make()
        while not decompressor.eof:
            if not len(rest):
                raise MalformedRequest(f"the {coding} body breaks off: its end is missing")
            data, rest = rest[: SLICES.get(coding, SLICE)], rest[SLICES.get(coding, SLICE) :]
            try:
                piece = decompressor.decompress(data)
            except broken as error:
                raise MalformedRequest(f"the body is not {coding}: {error}") from None
            size += len(piece)
            if size > max_bytes:
                raise TooLarge(f"the body unpacks to more than {max_bytes} bytes, which is the limit")
            pieces.append(piece)
        rest = memoryview(body)[len(body) - len(rest) - len(decompressor.unused_data) :]
    return b"".join(pieces)


def _has_zlib_header(body: bytes) -> bool:
    """Tell whether deflate is in zlib's format, as it should be; some clients send it bare.

    Source: https://www.rfc-editor.org/rfc/rfc1950#section-2.2
    """
    return len(body) > 1 and body[0] & 15 == 8 and (body[0] * 256 + body[1]) % 31 == 0


def _raw_deflate() -> "Any":
    import zlib

    return zlib.decompressobj(wbits=-15)


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


def _deflate() -> "tuple[Callable[[], Any], type[Exception]]":
    """Get the maker of decompressors of deflate in zlib's format, and the exception that they raise."""
    import zlib

    return zlib.decompressobj, zlib.error


def _zstd(window_log: int = FILE_WINDOW_LOG) -> "tuple[Callable[[], Any], type[Exception]]":
    """Get the maker of decompressors of zstd, and the exception that they raise.

    :param window_log: of the largest window that is accepted.
    :raises UnsupportedMediaType: neither Python nor an installed library has zstd.
    """
    try:
        try:
            from compression import zstd  # Python 3.14 has it
        except ImportError:
            from backports import zstd
    except ImportError:
        pass
    else:
        options = {zstd.DecompressionParameter.window_log_max: window_log}
        return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
    try:
        import zstandard
    except ImportError:
        raise UnsupportedMediaType("zstd needs Python 3.14, zstandard or backports.zstd; neither is here") from None
    reader = zstandard.ZstdDecompressor(max_window_size=1 << window_log)
    return reader.decompressobj, zstandard.ZstdError


DECOMPRESSORS: "dict[str, Callable[[], tuple[Callable[[], Any], type[Exception]]]]" = {
    "gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
SLICES = {"zstd": 64}  # at most 2 MiB come of it: the smallest block has four bytes, and stands for 128 KiB

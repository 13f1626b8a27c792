"""Compressed bodies are undone in bounded memory, or refused with the reason; answers are compressed the same way each time."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import FlyweightError, MalformedRequest, TooLarge, UnsupportedMediaType
from flyweight.formats import compression
from flyweight.formats.compression import gzipped, supported, unpacked

MIB = 1 << 20
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "X-Gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": lambda body: zlib.compress(body, wbits=-15),
    "zstd": zstandard.compress,
}
packed = pytest.mark.parametrize(("name", "pack"), PACKERS.items())


@packed
@given(body=st.binary(max_size=5000) | st.binary(min_size=1, max_size=5).map(lambda part: part * 100_000))
def test_a_body_comes_back(name: str, pack: Callable[[bytes], bytes], body: bytes) -> None:
    assert unpacked(pack(body), name, MIB) == body
    assert unpacked(pack(pack(body)), f"{name}, identity,{name.upper()}", MIB) == body


@packed
def test_a_body_may_be_as_large_as_allowed_and_no_larger(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(unpacked(pack(b"a" * MIB), name, MIB)) == MIB
    with pytest.raises(TooLarge, match=f"unpacks to more than {MIB} bytes"):
        unpacked(pack(b"a" * MIB + b"a"), name, MIB)
    with pytest.raises(TooLarge, match="the compressed body has"):
        unpacked(b"a" * 101, name, 100)


@packed
def test_a_bomb_costs_no_more_memory_than_the_largest_body(name: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(pack(b"\0" * (256 * MIB)) if name == "gzip" else b"\0" * (64 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpacked(bomb, f"{name}, {name}" if name == "gzip" else name, MIB)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB  # zstd keeps a window of its own
    finally:
        tracemalloc.stop()


@packed
@pytest.mark.parametrize(
    "change", [lambda body: body[:-1], lambda body: body[: len(body) // 2], lambda body: b"", lambda body: b"{"]
)
def test_a_body_without_its_end_is_malformed(name: str, pack: Callable[[bytes], bytes], change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedRequest):
        unpacked(change(pack(bytes(range(256)))), name, MIB)


@packed
@pytest.mark.parametrize("more", [b"x", b"\0" * 9, b"{}" * 50])
def test_a_body_that_goes_on_after_its_end_is_malformed(name: str, pack: Callable[[bytes], bytes], more: bytes) -> None:
    with pytest.raises(MalformedRequest):
        unpacked(pack(b"abc") + more, name, MIB)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_are_joined_but_not_without_end(name: str) -> None:
    pack = PACKERS[name]
    assert unpacked(pack(b"a") + pack(b"b"), name, MIB) == b"ab"
    with pytest.raises(MalformedRequest, match="goes on after its end"):
        unpacked(pack(b"") * 2000, name, MIB)


@pytest.mark.parametrize("encoding", ["br", "gzip, br", "gzip, gzip, gzip", "chunked", "gzip;q=1", "\0"])
def test_another_coding_is_refused_with_those_that_are_taken(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="send the body in gzip, deflate") as caught:
        unpacked(b"", encoding, MIB)
    assert caught.value.headers == {"accept-encoding": supported()}


def test_zstd_is_taken_where_a_library_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert supported() == "gzip, deflate, zstd"

    def absent(window_log: int = 0) -> None:
        raise UnsupportedMediaType("zstd needs Python 3.14, or zstandard, which is not installed here")

    monkeypatch.setitem(compression.DECOMPRESSORS, "zstd", absent)  # type: ignore[arg-type]
    assert supported() == "gzip, deflate"
    with pytest.raises(UnsupportedMediaType, match="'zstd' is not supported; send the body in gzip, deflate, or uncompressed"):
        unpacked(zstandard.compress(b"a"), "zstd", MIB)


def test_zstd_with_a_large_window_is_refused() -> None:
    """A few bytes would take 128 MiB of memory."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    body = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(MalformedRequest):
        unpacked(body.compress(b"a" * 100) + body.flush(), "zstd", MIB)


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=200), st.integers(0, 200), st.binary(max_size=8))
def test_damaged_bodies_are_refused_or_bounded(name: str, body: bytes, place: int, change: bytes) -> None:
    whole = PACKERS[name](body)
    try:
        assert len(unpacked(whole[:place] + change + whole[place + len(change) :], name, 1000)) <= 1000
    except FlyweightError as error:
        assert error.status in (400, 413)


def test_an_answer_is_the_same_each_time_and_comes_back() -> None:
    assert gzipped(b"abc" * 999) == gzipped(b"abc" * 999)
    assert gzip.decompress(gzipped(b"abc" * 999)) == b"abc" * 999

"""The parser reads what h11 reads, and refuses more than it by rules that can be counted."""

from __future__ import annotations

import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import FlyweightError
from tests.server import http_fuzz

COUNT = int(os.environ.get("HTTP_FUZZ", "4000"))  # a night's count: HTTP_FUZZ=1000000
HEAD = b"POST /predict?a=b HTTP/1.1\r\nHost: x\r\n"


def test_ours_and_h11_read_the_same_or_ours_is_stricter_by_a_rule() -> None:
    found = [text for seed in range(COUNT) if (text := http_fuzz.difference(seed))]
    assert not found, found[0]


def test_the_fuzz_reaches_both_sides() -> None:
    readings = [http_fuzz.ours([http_fuzz.connection_bytes(http_fuzz.random.Random(seed))]) for seed in range(500)]
    assert sum(bool(reading.requests) for reading in readings) > 100
    assert sum(reading.refused for reading in readings) > 100


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"GET / HTTP/1.1\nHost: x\n\n", "a line feed alone"),
        (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", "another version than 1.0 and 1.1"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "a length given twice, or as a list"),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "a length and chunks"),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks in HTTP/1.0"),
        (HEAD + b"A: b\r\n c\r\n\r\n", "a folded header"),
        (HEAD + b"A: b\x01c\r\n\r\n", "a control character"),
        (HEAD + b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", "a content type or coding given twice"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n", "a blank after a chunk's size"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 17 + b"\r\n\r\n", "a length or size of more than 15 digits"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n\r\n", "a length, a coding or a host after the body"),
    ],
    ids=str,
)
def test_ours_is_stricter_by_this_rule(data: bytes, rule: str) -> None:
    assert http_fuzz.judged([data]).requests, "h11 reads it"
    assert http_fuzz.ours([data]) == http_fuzz.Reading([], True)
    assert http_fuzz.STRICTER[rule].search(data)


def test_every_rule_but_the_limit_of_bytes_has_its_case() -> None:
    cases = test_ours_is_stricter_by_this_rule.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {*http_fuzz.STRICTER} - {rule for _, rule in cases} == {"more bytes than allowed"}


def test_a_body_in_chunks_of_one_byte_takes_no_more_memory_than_twice_its_bytes() -> None:
    from server_http import Parser

    parser, size = Parser(200_000), 100_000
    parser.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    tracemalloc.start()
    try:
        for _ in range(size // 1000):
            assert parser.next() is None
            parser.feed(b"1\r\na\r\n" * 1000)
        parser.feed(b"0\r\n\r\n")
        message = parser.next()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert message is not None and message.body == b"a" * size
    assert peak < 2 * size + 50_000


def test_headers_after_a_body_that_come_byte_by_byte_are_few() -> None:
    from server_http import MAX_TRAILER_BYTES, HeadTooLarge, Parser

    parser = Parser(100)
    parser.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    with pytest.raises(HeadTooLarge, match="after the body"):
        for _ in range(MAX_TRAILER_BYTES + 1):
            assert parser.next() is None
            parser.feed(b"a")
        parser.next()


def refusal(data: bytes, largest: int = 100) -> FlyweightError:
    from server_http import Parser

    parser = Parser(largest)
    parser.feed(data)
    with pytest.raises(FlyweightError) as caught:
        parser.next()
    return caught.value


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "names a host"),
        (HEAD + b"Content-Length : 4\r\n\r\n", 400, "without a blank before the colon"),
        (HEAD + b"Content-Length: 101\r\n\r\n", 413, "more than the 100 that are allowed"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n33\r\n" + b"a" * 51 + b"\r\n33\r\n",
            413,
            "more than the 100 that are allowed",
        ),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400, "is not supported"),
        (HEAD + b"a: b\r\n" * 200 + b"\r\n", 431, "more than 200 headers"),
        (HEAD + b"a" * 70_000, 431, "more than 65536 bytes"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 2000, 400, "chunk's size is too long"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: " + b"a" * 70_000, 431, "more than 4096 bytes"),
        (b"GET / HTTP/1.1\nHost: x", 400, "a line feed alone"),
        (b"\x16\x03\x01\x02\x00\x01", 400, "name of a method"),
    ],
    ids=str,
)
def test_what_is_refused_is_refused_at_once_in_words(data: bytes, status: int, words: str) -> None:
    error = refusal(data)
    assert error.status == status and words in str(error)


@given(st.lists(st.binary(max_size=20) | st.sampled_from([HEAD, b"\r\n", b"0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])))
def test_no_bytes_make_the_parser_fail(pieces: list[bytes]) -> None:
    http_fuzz.ours(pieces)


def test_a_target_with_scheme_and_host_has_its_path() -> None:
    from server_http import Message

    paths = {target: Message(target=target).path for target in ("/a?b", "http://x/a/b?c", "http://x", "*", "/a?b=http://c/d")}
    assert [*paths.values()] == ["/a", "/a/b", "/", "*", "/a"]

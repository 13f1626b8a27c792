"""Requests at random, sound and mutated, and what two parsers make of them: ours, and h11's as the judge."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import h11
from server_http import Parser

from flyweight.errors import FlyweightError

LARGEST = 1 << 20
Request = tuple[str, str, dict[str, str], bytes]


@dataclass
class Reading:
    """What a parser made of the bytes of one connection: whole requests, and whether it refused what follows."""

    requests: list[Request] = field(default_factory=list)
    refused: bool = False


def ours(pieces: list[bytes]) -> Reading:
    """Read by our parser."""
    reading, parser = Reading(), Parser(LARGEST)
    try:
        for piece in pieces:
            parser.feed(piece)
            while (message := parser.next()) is not None:
                headers = dict(message.headers)
                if "transfer-encoding" in headers:  # h11 gives it in lower case
                    headers["transfer-encoding"] = headers["transfer-encoding"].lower()
                reading.requests.append((message.method, message.target, headers, message.body))
                if not message.keep_alive:
                    return reading
    except FlyweightError:
        reading.refused = True
    return reading


def judged(pieces: list[bytes]) -> Reading:
    """Read by h11, whose side answers each request as ours does."""
    reading, connection = Reading(), h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST)
    try:
        for piece in pieces:
            if piece:
                connection.receive_data(piece)
            if not _take(connection, reading):
                return reading
    except h11.RemoteProtocolError:
        reading.refused = True
    return reading


_heads: dict[int, tuple[h11.Request, list[bytes]]] = {}


def _take(connection: h11.Connection, reading: Reading) -> bool:
    """Take all events that there are; return whether the connection goes on."""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED:
            return True
        if isinstance(event, h11.Request):
            _heads[id(connection)] = (event, [])
        elif isinstance(event, h11.Data):
            _heads[id(connection)][1].append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            request, parts = _heads.pop(id(connection))
            headers: dict[str, str] = {}
            for raw, value in request.headers:
                name, text = raw.decode(), value.decode("latin-1")
                headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{text}" if name in headers else text
            reading.requests.append((request.method.decode(), request.target.decode(), headers, b"".join(parts)))
            connection.send(h11.Response(status_code=404, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is h11.MUST_CLOSE or connection.their_state is h11.MUST_CLOSE:
                return False
            connection.start_next_cycle()
        else:
            return False


# Where ours is stricter on purpose: a request that h11 reads and ours refuses has one of these.
STRICTER = {
    "a line feed alone": re.compile(rb"(?<!\r)\n"),
    "another version than 1.0 and 1.1": re.compile(rb" HTTP/(?!1\.[01]\r\n)"),
    "a length given twice, or as a list": re.compile(rb"(?is)content-length:[^\r\n]*,|content-length:.*\ncontent-length:"),
    "a length and chunks": re.compile(rb"(?is)(?=.*content-length:).*transfer-encoding:"),
    "chunks in HTTP/1.0": re.compile(rb"(?is)HTTP/1\.0\r\n.*transfer-encoding:"),
    "a folded header": re.compile(rb"\n[ \t]"),
    "a control character": re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)"),
    "a length, a coding or a host after the body": re.compile(rb"(?is)\n0[^\n]*\n.*(content-length|transfer-encoding|host):"),
    "a content type or coding given twice": re.compile(rb"(?is)(content-type|transfer-encoding):.*\n\1:"),
    "a blank after a chunk's size": re.compile(rb"\n[0-9a-fA-F]+[ \t]+\r\n"),
    "a length or size of more than 15 digits": re.compile(rb"(?i)[0-9a-f]{16}"),
    "more bytes than allowed": re.compile(rb"(?i)[0-9a-f]{6}"),
}
# Where ours is laxer: it answers further requests where h11 stops.
LAXER = {
    "empty lines before a request, as RFC 9112 advises in 2.2": re.compile(rb"\A\r\n|\r\n[^ :\r\n]+ [^ \r\n]+ HTTP/1\.[01]\r\n"),
    "HTTP/1.0 with keep-alive": re.compile(rb"(?is) HTTP/1\.0\r\n.*connection:[^\r\n]*keep-alive"),
}


def difference(seed: int) -> str:
    """Read one connection's bytes by both parsers, each cut at other places.

    :returns: what they disagree on, "" if they agree or ours is stricter by a rule.
    """
    chance = random.Random(seed)
    data = connection_bytes(chance)
    mine, theirs = ours(cut(data, chance)), judged(cut(data, chance))
    if mine != ours([data]):
        return f"seed {seed}: ours depends on how the bytes are cut: {data!r}"
    if mine.requests == theirs.requests:
        return ""
    shared = min(len(mine.requests), len(theirs.requests))
    if mine.requests[:shared] == theirs.requests[:shared]:
        if mine.refused and len(theirs.requests) > shared and any(rule.search(data) for rule in STRICTER.values()):
            return ""
        if len(mine.requests) > shared and any(rule.search(data) for rule in LAXER.values()):
            return ""
    return f"seed {seed}: {data!r}\nours {mine}\nh11  {theirs}"


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    """Cut bytes at random places."""
    places = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 2, 5, 20))))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def connection_bytes(chance: random.Random) -> bytes:
    """Write one to five requests, of which some are repeated, and damage them half of the time."""
    requests = [_request(chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    data = b"".join(requests + [chance.choice(requests) for _ in range(chance.choice((0, 0, 1, 2)))])
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        data = chance.choice(DAMAGES)(data, chance.randrange(len(data) + 1), chance)
    return data


def _request(chance: random.Random) -> bytes:
    """Write a request that is sound for the most part."""
    method = chance.choice((b"GET", b"POST", b"HEAD", b"OPTIONS", b"M-SEARCH", b"PUT"))
    target = chance.choice((b"/", b"/predict", b"/a?b=c", b"http://x/predict", b"*", b"/%2F//"))
    lines = [method + b" " + target + b" " + chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"))]
    headers = [b"Host: x"] if chance.random() < 0.95 else []
    headers += [chance.choice(HEADERS) for _ in range(chance.choice((0, 1, 2, 5)))]
    body = b""
    kind = chance.random()
    if kind < 0.4:
        content = _content(chance, (0, 1, 5, 40))
        headers.append(b"Content-Length: %d" % len(content))
        body = content
    elif kind < 0.8:
        headers.append(chance.choice((b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked ")))
        body = b"".join(_chunks(chance))
    chance.shuffle(headers)
    return b"\r\n".join([*lines, *headers, b"", b""]) + body


HEADERS = [
    *(b"A: b", b"A:", b"a:  b c \t", b"Cookie: a=b", b"Cookie: c=d", b"Connection: keep-alive", b"Connection: close", b"X: \xe9"),
    *(
        b"Content-Type: text/csv",
        b"Expect: 100-continue",
        b"Accept: */*",
        b"Connection: x, Close",
        b"Te: trailers",
        b"Upgrade: h2c",
    ),
]


def _content(chance: random.Random, sizes: tuple[int, ...]) -> bytes:
    """Write a part of a body, without what the rules above look for."""
    return bytes(chance.choice(b"ab0:; \xff\xe9") for _ in range(chance.choice(sizes)))


def _chunks(chance: random.Random) -> Iterator[bytes]:
    for _ in range(chance.choice((0, 1, 2, 4))):
        content = _content(chance, (1, 3, 17, 40))
        extension = chance.choice((b"", b"", b"", b";a=b", b' ;a="b"', b";"))
        yield chance.choice((b"%x", b"%X", b"0%x")) % len(content) + extension + b"\r\n" + content + b"\r\n"
    yield chance.choice((b"0", b"0", b"000", b"0;a")) + b"\r\n"
    yield chance.choice((b"", b"", b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"))
    yield b"\r\n"


PARTS = [
    *(b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b"\x7f", b",", b";", b"0", b"1", b"-", b"+", b"_", b"0x", b"\xff"),
    *(b"\r\n ", b"\r\n\r\n", b"\r\nContent-Length: 4", b"\r\nTransfer-Encoding: chunked", b"\r\nTransfer-Encoding: x"),
    *(
        b"\r\nHost: y",
        b"HTTP/1.1",
        b"\r\nContent-Length: 4, 4",
        b"\r\nConnection: close",
        b"chunked, ",
        b"\r\nContent-Length: +4",
    ),
]


def _insert(data: bytes, place: int, chance: random.Random) -> bytes:
    return data[:place] + chance.choice(PARTS) + data[place:]


def _delete(data: bytes, place: int, chance: random.Random) -> bytes:
    return data[:place] + data[place + chance.choice((1, 1, 2, 9)) :]


def _replace(data: bytes, place: int, chance: random.Random) -> bytes:
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _repeat(data: bytes, place: int, chance: random.Random) -> bytes:
    length = chance.choice((1, 5, 30))
    return data[: place + length] + data[place:]


def _shorten(data: bytes, place: int, chance: random.Random) -> bytes:
    return data[:place]


DAMAGES: tuple[Callable[[bytes, int, random.Random], bytes], ...] = (_insert, _insert, _delete, _replace, _repeat, _shorten)

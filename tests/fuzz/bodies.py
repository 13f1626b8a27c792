"""Random bodies of requests: sound ones in every spelling, with the rows that they hold, and the same damaged."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]  # a value by the name of the feature
SPLICES = (
    *(
        b'"',
        b'""',
        b"\\",
        b"\\u",
        b"\\ud800",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(b"null", b"NaN", b"-Infinity", b"1e999", b"-0", b"0x1", b"01", b"true", b"1" * 400, b"9" * 5000, b"1e-400", b"1.0e+308"),
    *(b'"island"', b'"instances"', b'"outputs"', b"//", b"#", b"'", b";", b"\t", b" ", "é".encode(), "\u2028".encode()),
)
REPEATED = (b"[", b'{"a":', b'"', b"\\", b"1", b"a", b" ", b"\n", b",", b"{},", b"[],", b'"a":1,', b"0.1,", b"\xf0\x9f\x98\x80")
TYPES = ("application/json", "text/csv", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded", "", "a/b;c=d")


@dataclass(frozen=True)
class Body:
    """The body of a request.

    :param rows: what a sound body holds; None for a damaged one.
    """

    data: bytes
    content_type: str
    encoding: str = ""
    rows: list[Row] | None = None


def made(seed: int, rows: list[Row], largest: int = 4096) -> Body:
    """Make the body of a seed.

    :param rows: rows that the model answers.
    :param largest: bytes of a damaged body, about.
    """
    rng = random.Random(seed)
    chosen = [dict(rng.choice(rows)) for _ in range(rng.choice((0, 1, 1, 2, 3, rng.randrange(40))))]
    form = rng.choice((_json, _json, _csv, _ndjson))
    content_type, text = form(chosen, rng)
    data = text.encode("utf-8", "surrogatepass")
    body = Body(data, content_type, rows=chosen)
    if rng.random() < 0.7:
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            data = rng.choice(DAMAGES)(data, rng, largest)
        body = Body(data, content_type if rng.random() < 0.9 else rng.choice(TYPES))
    return _packed(body, rng)


def _packed(body: Body, rng: random.Random) -> Body:
    """Compress some of the bodies, and damage some of what comes of it."""
    if rng.random() < 0.9:
        return body
    name, pack = rng.choice((("gzip", gzip.compress), ("deflate", zlib.compress), ("x", bytes)))
    data, rows = pack(body.data), body.rows
    if rng.random() < 0.3:
        data, rows = rng.choice((_cut, _flipped))(data, rng, len(data)), None
    return Body(data, body.content_type, name, None if name == "x" else rows)


def _json(rows: list[Row], rng: random.Random) -> tuple[str, str]:
    instances = [_instance(row, rng) for row in rows]
    document: Any = instances if rng.random() < 0.3 else {"instances": instances}
    return "application/json", _spelled(document, rng)


def _ndjson(rows: list[Row], rng: random.Random) -> tuple[str, str]:
    end = rng.choice(("\n", "\r\n", "\n\n"))
    return "application/x-ndjson", end.join(_spelled(_instance(row, rng), rng).replace("\n", " ") for row in rows) + end


def _instance(row: Row, rng: random.Random) -> Any:
    if rng.random() < 0.3:
        return [*row.values()]
    items = [*row.items()]
    rng.shuffle(items)
    return dict(items)


def _spelled(document: Any, rng: random.Random) -> str:
    """Write JSON in one of the ways that mean the same."""
    separators = rng.choice((None, (",", ":"), (" ,\t", " :\n"), (",\r\n", ": ")))
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, separators=separators)
    if rng.random() < 0.2:
        text = text.replace("o", "\\u006f").replace("/", "\\/")
    return rng.choice(("", " ", "\n")) + text + rng.choice(("", "\n", "\t \r\n"))


def _csv(rows: list[Row], rng: random.Random) -> tuple[str, str]:
    names = [*rows[0]] if rows else ["island"]
    rng.shuffle(names)
    file = io.StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    writer = csv.writer(file, lineterminator=rng.choice(("\n", "\r\n")), quoting=quoting)
    writer.writerow(names)
    writer.writerows([["" if row[name] is None else row[name] for name in names] for row in rows])
    return "text/csv", file.getvalue()


def _cut(data: bytes, rng: random.Random, largest: int) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flipped(data: bytes, rng: random.Random, largest: int) -> bytes:
    if not data:
        return data
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _spliced(data: bytes, rng: random.Random, largest: int) -> bytes:
    start = rng.randrange(len(data) + 1)
    stop = start + rng.choice((0, 0, 1, 4, 30))
    return data[:start] + rng.choice(SPLICES) + data[stop:]


def _swollen(data: bytes, rng: random.Random, largest: int) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = rng.choice(REPEATED)
    return data[:start] + piece * (rng.randrange(largest) // len(piece)) + data[start:]


def _doubled(data: bytes, rng: random.Random, largest: int) -> bytes:
    start, stop = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    part = data[start:stop] or b"0"
    return data[:start] + part * min(rng.choice((1, 2, 3, 1000)), largest // len(part) + 1) + data[start:]


def _crossed(data: bytes, rng: random.Random, largest: int) -> bytes:
    """Put one part of the body in the place of another."""
    start, stop, other = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:start] + data[stop:other] + data[start:stop] + data[other:]


DAMAGES: tuple[Callable[[bytes, random.Random, int], bytes], ...] = (
    _cut,
    _flipped,
    _spliced,
    _spliced,
    _swollen,
    _doubled,
    _crossed,
)

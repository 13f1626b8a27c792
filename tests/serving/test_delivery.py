"""An answer that is too large for what carries it becomes smaller, or an error that says how to ask for less."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from flyweight.errors import TooLarge
from flyweight.protocols import Answer
from flyweight.serving import delivery
from flyweight.serving.delivery import Carrier, accepts_gzip, fit
from flyweight.serving.service import ONE_TRIP, Service
from flyweight.settings import Settings
from flyweight.values import Request

LARGE = Answer(b"0123456789" * 3000, "application/json", 200, {"x-own": "1"})


@pytest.mark.parametrize("header", ["gzip", "GZIP", "br, gzip;q=0.1", "*", "x-gzip", "deflate, *;q=0.5", "gzip ; q=1"])
def test_gzip_is_accepted(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", ["", "identity", "gzip;q=0", "*, gzip;q=0", "br", "gzip;q=no", "*;q=0", "gzipped"])
def test_gzip_is_not_accepted(header: str) -> None:
    assert not accepts_gzip(header)


def test_an_answer_is_compressed_for_who_accepts_it_and_says_that_it_depends_on_that() -> None:
    fitted = fit(LARGE, "gzip", delivery.ANYTHING)
    assert gzip.decompress(fitted.body) == LARGE.body
    assert fitted.headers == {"x-own": "1", "vary": "accept-encoding", "content-encoding": "gzip"}
    assert fit(LARGE, "", delivery.ANYTHING) == LARGE._replace(headers={"x-own": "1", "vary": "accept-encoding"})


def test_an_answer_that_fits_only_compressed_is_refused_to_others_with_that_advice() -> None:
    small = Carrier("a pigeon", 20_000)
    assert len(fit(LARGE, "gzip", small).body) < 20_000
    with pytest.raises(TooLarge, match="30000 bytes, and a pigeon carries at most 20000") as caught:
        fit(LARGE, "", small)
    assert "fewer instances" in str(caught.value) and "fewer outputs" in str(caught.value) and "gzip" in str(caught.value)


def test_a_carrier_of_texts_gets_no_bytes_and_no_advice_to_ask_for_them() -> None:
    assert fit(LARGE, "gzip", Carrier("a telegram", 1 << 20, binary=False)) == LARGE
    with pytest.raises(TooLarge) as caught:
        fit(LARGE, "", Carrier("a telegram", 100, binary=False))
    assert "gzip" not in str(caught.value)


def test_the_carriers_own_count_decides() -> None:
    with pytest.raises(TooLarge, match="60000 bytes"):
        fit(LARGE, "", Carrier("an envelope", 50_000, lambda answer: 2 * len(answer.body)))


def answered(size: int, carrier: Any, **headers: str) -> tuple[int, Any, list[Any]]:
    """Ask a service whose only operation gives an answer of so many bytes."""
    logged: list[Any] = []
    service = Service(Settings("/nowhere"), logged.append, 0.0, carrier)

    class Toy:
        PATHS = ("GET /toy",)
        error = staticmethod(service.protocols.first.error)

        @staticmethod
        def route(method: str, path: str) -> Any:
            return (lambda context, request, name: Answer(b"a" * size, "text/plain")), ""

    toy: Any = Toy
    service.protocols._found, service.protocols._complete = [toy], True
    response = service.respond(
        lambda event: Request("GET", "/toy", {name.replace("_", "-"): value for name, value in headers.items()}, b""), ("event",)
    )
    return response.status, response, logged


def test_the_carrier_is_asked_for_large_answers_only() -> None:
    def carrier(event: str) -> Carrier:
        asked.append(event)
        return Carrier("a pigeon", 10)

    asked: list[str] = []
    assert answered(ONE_TRIP, carrier)[0] == 200 and asked == []
    status, response, logged = answered(ONE_TRIP + 1, carrier)
    assert (status, response.headers["content-type"], asked) == (413, "application/problem+json", ["event"])
    assert logged[-1]["status"] == 413 and "a pigeon" in logged[-1]["message"]


def test_a_service_without_a_carrier_has_no_limit() -> None:
    assert answered(10_000_000, None)[0] == 200
    assert answered(10_000_000, None, accept_encoding="gzip")[1].headers["content-encoding"] == "gzip"


def in_blocks(*blocks: bytes) -> Answer:
    """An answer whose rest is made while it is sent."""
    return Answer(blocks[0], "text/csv", blocks=iter(blocks[1:]))


def test_blocks_pass_in_their_order_and_are_compressed_as_they_come() -> None:
    plain = fit(in_blocks(b"a", b"b", b"c"), "", delivery.ANYTHING)
    assert plain.blocks is not None and (plain.body, [*plain.blocks]) == (b"", [b"a", b"b", b"c"])
    packed = fit(in_blocks(b"a" * 9999, b"b" * 9999), "gzip", delivery.ANYTHING)
    assert packed.blocks is not None and packed.headers == {"vary": "accept-encoding", "content-encoding": "gzip"}
    assert gzip.decompress(b"".join(packed.blocks)) == b"a" * 9999 + b"b" * 9999


def test_blocks_end_at_the_limit_of_what_carries_them() -> None:
    blocks = fit(in_blocks(b"12345", b"67890", b"1"), "", Carrier("a pigeon", 10)).blocks
    assert blocks is not None and [next(blocks), next(blocks)] == [b"12345", b"67890"]
    with pytest.raises(TooLarge, match="more bytes than the 10 that a pigeon carries"):
        next(blocks)

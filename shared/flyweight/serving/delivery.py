"""Make a large answer fit what carries it: compressed where the caller takes that, else refused with the limit that it passes."""

from flyweight.errors import TooLarge
from flyweight.formats import quality, split_content_type
from flyweight.formats.compression import gzipped, gzipped_blocks
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flyweight.protocols import Answer


class Carrier(Value):
    """What carries an answer to its caller, and how much of it.

    `name`: for the message, as "a synchronous invocation of Lambda"; `size`: counts the bytes of an answer as they are carried,
    for example as a text in JSON; `binary`: whether bytes that are no text, so compressed ones, reach the caller as they are.
    """

    name: str
    max_bytes: int
    size: "Callable[[Answer], int]" = lambda answer: len(answer.body)
    binary: bool = True


ANYTHING = Carrier("the server", 1 << 62)


def fit(answer: "Answer", accept_encoding: str, carrier: Carrier) -> "Answer":
    """Compress an answer if the caller takes it, and check that the rest of the way carries it.

    :param accept_encoding: the request's header.
    :raises TooLarge: the answer is larger than the carrier's limit; the message says how to ask for less.
    """
    accepted = accepts_gzip(accept_encoding)
    if answer.blocks is not None:
        blocks: Iterable[bytes] = (part for blocks in ((answer.body,), answer.blocks) for part in blocks)
        headers = {**answer.headers, "vary": "accept-encoding"}
        if accepted:
            blocks, headers = gzipped_blocks(blocks), {**headers, "content-encoding": "gzip"}
        return answer._replace(body=b"", headers=headers, blocks=_within(blocks, carrier))
    if carrier.binary and "content-encoding" not in answer.headers:
        headers = {**answer.headers, "vary": "accept-encoding"}
        if accepted:
            answer = answer._replace(body=gzipped(answer.body), headers={**headers, "content-encoding": "gzip"})
        else:
            answer = answer._replace(headers=headers)
    size = carrier.size(answer)
    if size > carrier.max_bytes:
        ways = "send fewer instances in one request, or ask for fewer outputs"
        ways += ", or accept gzip (Accept-Encoding: gzip)" if carrier.binary and not accepted else ""
        raise TooLarge(f"the answer has {size} bytes, and {carrier.name} carries at most {carrier.max_bytes}; {ways}")
    return answer


def _within(blocks: "Iterable[bytes]", carrier: Carrier) -> "Iterator[bytes]":
    """Pass blocks on, up to the carrier's limit.

    :raises TooLarge: there are more bytes.
    """
    size = 0
    for block in blocks:
        size += len(block)
        if size > carrier.max_bytes:
            raise TooLarge(f"the answer has more bytes than the {carrier.max_bytes} that {carrier.name} carries")
        yield block


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether a caller takes gzip, by its header Accept-Encoding."""
    weights = {}
    for entry in accept_encoding.split(","):
        coding, parameters = split_content_type(entry)
        weights[coding] = quality(parameters.get("q", "1"))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0.0

"""Read and write the wire format of protobuf messages.

A field has a number, a kind and a value, which is a whole number or bytes: https://protobuf.dev/programming-guides/encoding/
"""

from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # the kinds of fields
WIDTHS = {EIGHT: 8, FOUR: 4}
BITS = (1 << 64) - 1
MOST_SHIFT = 63  # of the last seven bits that a whole number of 64 bits may have
LARGEST_KEY = 1 << 32  # other readers cut a key to 32 bits, and so would see another field


def fields(message: bytes) -> "Iterator[tuple[int, int, int | bytes]]":
    """Yield each field's number, kind and value, in the order of the message.

    :raises MalformedRequest: the bytes are not a protobuf message.
    """
    place, end = 0, len(message)
    while place < end:
        key = message[place]
        if key < 128:  # it is one byte, as most are
            place += 1
        else:
            key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if not number or key >= LARGEST_KEY:
            raise MalformedRequest(f"the message is not protobuf: no field has the number {number}")
        value: int | bytes
        if kind == VARINT and place < end and message[place] < 128:
            value, place = message[place], place + 1
        elif kind == VARINT:
            value, place = _varint(message, place)
        elif kind == BYTES or kind in WIDTHS:
            size, place = _varint(message, place) if kind == BYTES else (WIDTHS[kind], place)
            if size > end - place:
                raise MalformedRequest(f"the message is not protobuf: field {number} of {size} bytes breaks off")
            value = message[place : place + size]
            place += size
        else:
            raise MalformedRequest(f"the message is not protobuf: field {number} is of the kind {kind}; expected 0, 1, 2 or 5")
        yield number, kind, value


def varints(packed: bytes) -> "list[int]":
    """Read whole numbers that stand one after another, each from 0 to 2**64 - 1.

    :raises MalformedRequest: the last one breaks off, or one is too long.
    """
    if packed.isascii():  # each number is one byte
        return [*packed]
    found: list[int] = []
    value = shift = 0
    for byte in packed:  # a call for each number takes three times as long, which is seconds for a large body
        if byte < 128:
            found.append((value | byte << shift) & BITS)
            value = shift = 0
        else:
            value |= (byte ^ 128) << shift
            shift += 7
            if shift > MOST_SHIFT:
                break
    if shift:
        raise MalformedRequest(f"the message is not protobuf: packed number {len(found)} breaks off, or is too long")
    return found


def signed(value: int, bits: int) -> int:
    """Read the lowest bits of a whole number as one that may be negative."""
    half = 1 << bits - 1
    return ((value & (1 << bits) - 1) ^ half) - half


def text_of(value: "int | bytes", place: str) -> str:
    """Decode a text.

    :param place: where it stands, for the message.
    :raises MalformedRequest: it is not UTF-8.
    """
    try:
        return str(value, "utf-8") if isinstance(value, bytes) else ""
    except UnicodeDecodeError:
        raise MalformedRequest(f"{place} is not UTF-8") from None


def varint(value: int) -> bytes:
    """Write a whole number from -2**63 to 2**64 - 1."""
    value &= BITS
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def data(number: int, value: bytes) -> bytes:
    """Write a field of bytes; an empty value is written too, as a repeated field needs it."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def text(number: int, value: str) -> bytes:
    """Write a field of text; an empty text needs no field."""
    return data(number, value.encode("utf-8", "replace")) if value else b""


def whole(number: int, value: int) -> bytes:
    """Write a field of one whole number or truth value; zero needs no field."""
    return varint(number << 3) + varint(value) if value else b""


def wholes(number: int, values: "Iterable[int]") -> bytes:
    """Write a field of whole numbers."""
    packed = b"".join([varint(value) for value in values])
    return data(number, packed) if packed else b""


def _varint(message: bytes, place: int) -> "tuple[int, int]":
    """Return a whole number of 64 bits and the place after it.

    :raises MalformedRequest: it breaks off, or is too long.
    """
    value = shift = 0
    while True:
        if place >= len(message) or shift > MOST_SHIFT:
            raise MalformedRequest(f"the message is not protobuf: a number breaks off, or is too long, at byte {place}")
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value & BITS, place

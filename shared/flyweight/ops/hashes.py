"""Hash categories into numbers as CatBoost does: CityHash64, version 1 (Pike and Alakuijala, 2011; `util/digest/city.cpp`)."""

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops import LETTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MASK = (1 << 64) - 1
K0, K1, K2, K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
MIX = 0x9DDFEA08EB382D69


class City:
    """CityHash64's lower 32 bits of each category's text, as CatBoost uses it; the text of a whole number has no decimal point.

    :raises ModelRefused: `names` does not have one name a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self._names = node.items("names", (str,), len(node.only_input()))
        self.kinds = "n" * len(self._names)
        # a text that several columns have is hashed once; others are no longer than the request
        node.takes(LETTERS * (60 + 4 * len(self._names)), letter_steps=60)

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one hash a column.

        :raises InvalidInput: a category is missing or a number that is not whole; CatBoost refuses it as well.
        """
        texts = [v if isinstance(v, str) else self._text(v, p) for p, v in enumerate(x)]
        known = {text: float(city_hash(text)) for text in {*texts}}
        return [known[text] for text in texts]

    def _text(self, v: "Any", position: int) -> str:
        """Return the text of a whole number.

        :raises InvalidInput: it is missing or not whole.
        """
        if v is None or not -1e18 < v < 1e18 or v != int(v):
            shown = preview(None if v is None or v != v else v)
            raise InvalidInput(Fault("a string or a whole number", shown, feature=self._names[position]))
        return str(int(v))


def city_hash(text: str) -> int:
    """Return the lower half of the hash of a text's UTF-8, with its sign: a whole number of 32 bits."""
    data = text.encode("utf-8", "surrogatepass")
    size = len(data)
    hash_of = next((short for longest, short in _SHORT if size <= longest), _long)
    low = hash_of(data) & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _rotated(value: int, bits: int) -> int:
    """Rotate 64 bits right."""
    value &= MASK
    return (value >> bits | value << (64 - bits)) & MASK


def _folded(value: int) -> int:
    value &= MASK
    return value ^ value >> 47


def _joined(low: int, high: int) -> int:
    """Hash 128 bits into 64."""
    low, high = low & MASK, high & MASK
    return _folded((high ^ _folded((low ^ high) * MIX)) * MIX) * MIX & MASK


def _upto16(data: bytes) -> int:
    size = len(data)
    if size > 8:
        last = _word(data, size - 8)
        return _joined(_word(data, 0), _rotated(last + size, size)) ^ last
    if size >= 4:
        return _joined(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4))
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
        return _folded(y * K2 & MASK ^ z * K3 & MASK) * K2 & MASK
    return K2


def _upto32(data: bytes) -> int:
    size = len(data)
    a, b = _word(data, 0) * K1, _word(data, 8)
    c, d = _word(data, size - 8) * K2, _word(data, size - 16) * K0
    return _joined(_rotated(a - b, 43) + _rotated(c, 30) + d, a + _rotated(b ^ K3, 20) - c + size)


def _half(words: "list[int]", start: int) -> "tuple[int, int]":
    """Hash one half of a text of up to 64 bytes, from its last three words and a start value, into two words."""
    b, c, d = words
    b_ = _rotated(start + d, 52)
    c_ = _rotated(start, 37)
    start += b
    c_ += _rotated(start, 7)
    start += c
    return start + d, b_ + _rotated(start, 31) + c_


def _upto64(data: bytes) -> int:
    size = len(data)
    first = [_word(data, at) for at in (0, 8, 16, 24)]
    last = [_word(data, size - at) for at in (32, 24, 16, 8)]
    vf, vs = _half(first[1:], first[0] + (size + last[2]) * K0)
    wf, ws = _half(last[1:], first[2] + last[0])
    mixed = _folded((vf + ws) * K2 + (wf + vs) * K0)
    return _folded(mixed * K0 + vs) * K2 & MASK


def _weak(data: bytes, start: int, a: int, b: int) -> "tuple[int, int]":
    """Hash 32 bytes from `start`, with two seeds, into two words."""
    w, x, y, z = (_word(data, start + at) for at in (0, 8, 16, 24))
    a += w
    b = _rotated(b + a + z, 21)
    c = a
    a += x + y
    return (a + z) & MASK, (b + _rotated(a, 44) + c) & MASK


def _long(data: bytes) -> int:
    size = len(data)
    x, y, z = _word(data, 0), _word(data, size - 16) ^ K1, _word(data, size - 56) ^ K0
    v, w = _weak(data, size - 64, size, y), _weak(data, size - 32, size * K1, K0)
    z += _folded(v[1]) * K1
    x, y = _rotated(z + x, 39) * K1, _rotated(y, 33) * K1
    for start in range(0, (size - 1) & ~63, 64):
        x = _rotated(x + y + v[0] + _word(data, start + 16), 37) * K1 ^ w[1]
        y = _rotated(y + v[1] + _word(data, start + 48), 42) * K1 ^ v[0]
        x, y = x & MASK, y & MASK
        z = _rotated((z ^ w[0]) & MASK, 33)
        v = _weak(data, start, v[1] * K1, x + w[0])
        w = _weak(data, start + 32, z + w[1], y)
        z, x = x, z
    return _joined(_joined(v[0], w[0]) + _folded(y) * K1 + z, _joined(v[1], w[1]) + x)


_SHORT = ((16, _upto16), (32, _upto32), (64, _upto64))

OPS = {"city": City}

"""Tensors as protocols send them: typed values with a shape, from JSON or little-endian bytes, and back.

The binary form: https://github.com/kserve/open-inference-protocol. Numbers in JSON are taken as they are written; FP32 and FP16
only limit them. FP16 in JSON is taken too. A null is a missing value, and so is NaN.
"""

from math import isfinite, nan, prod
from struct import Struct, calcsize, pack, unpack

from flyweight import strict_json
from flyweight.errors import MalformedRequest, TooLarge, preview
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# from datatypes to the formats of `struct`; BYTES, a text, has none
CODES = {
    **{"BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q"},
    **{"INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d"},
}
DATATYPES = (*CODES, "BYTES")
LARGEST = {"FP16": 65504.0, "FP32": 3.4028234663852886e38}  # the largest numbers that these hold
LENGTH = Struct("<I")  # before each text of BYTES
WEIGHED = 1 << 20  # bytes of a tensor above which its memory is checked
VALUE = 48  # bytes of memory for one value in a tensor, in its row, and in the validated row


class Tensor(Value):
    """A tensor: its values in row-major order are bool, int, float, str, or None where one is missing."""

    name: str
    datatype: str
    shape: "list[int]"  # the first number is that of the instances
    values: "list[Any]"


def of_json(name: str, datatype: str, shape: "list[int]", data: "Any") -> Tensor:
    """Check the values of a tensor that came as JSON.

    :param data: an array of the values, flat or nested as the shape is.
    :raises MalformedRequest: the data do not have the shape, or a value is not of the datatype.
    """
    if not isinstance(data, list):
        raise MalformedRequest(f"the data of tensor {preview(name)} should be an array, got {preview(data)}")
    values = _flat(name, shape, data)
    take = _reader(datatype)
    read = []
    for place, value in enumerate(values):
        try:
            read.append(take(value))
        except (ValueError, OverflowError):
            instance = place // max(1, prod(shape[1:]))
            where = f"instance {instance} of tensor {preview(name)}"
            raise MalformedRequest(f"{where}: expected {_described(datatype)}, got {preview(value)}") from None
    return Tensor(name, datatype, shape, read)


def of_bytes(name: str, datatype: str, shape: "list[int]", data: "memoryview") -> Tensor:
    """Read the values of a tensor that came as bytes.

    :raises MalformedRequest: the bytes do not have the shape, or a text is not UTF-8.
    :raises TooLarge: the process has too little memory left.
    """
    count = prod(shape)
    if len(data) > WEIGHED:
        from flyweight.formats.memory import free_bytes  # imported late: small tensors need no check

        need, free = VALUE * count, free_bytes()
        if free is not None and need > free:
            raise TooLarge(f"tensor {preview(name)} would take {need >> 20} MB of memory, of which {free >> 20} MB are left")
    if datatype == "BYTES":
        values = _texts(name, data)
        if len(values) != count:
            raise _wrong_count(name, shape, len(values))
        return Tensor(name, datatype, shape, values)
    code = CODES[datatype]
    if len(data) != count * calcsize(code):
        raise _wrong_count(name, shape, len(data) // calcsize(code))
    return Tensor(name, datatype, shape, [*unpack(f"<{count}{code}", data)])


def to_bytes(tensor: Tensor) -> bytes:
    """Write the values of a tensor as bytes; a missing number is NaN, a missing text is empty."""
    if tensor.datatype == "BYTES":
        texts = [(value or "").encode("utf-8", "replace") for value in tensor.values]
        return b"".join([part for text in texts for part in (LENGTH.pack(len(text)), text)])
    values = [nan if value is None else value for value in tensor.values]
    return pack(f"<{len(values)}{CODES[tensor.datatype]}", *values)


def datatype_of(values: "Iterable[Any]") -> str:
    """Choose the datatype of answers: BOOL, INT64, FP64, or BYTES if a value is a text, or if they mix kinds."""
    values = [value for value in values if value is not None]
    kinds = {*map(type, values)}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int} and all(-(1 << 63) <= value < 1 << 63 for value in values):
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def of_answers(name: str, shape: "list[int]", values: "list[Any]", datatype: str) -> Tensor:
    """Make a tensor of a model's answers.

    :param values: in row-major order.
    :param datatype: as `datatype_of` chooses it.
    """
    if datatype == "BYTES":
        texts = [value if value is None or isinstance(value, str) else strict_json.encode(value).decode() for value in values]
        return Tensor(name, datatype, shape, texts)
    return Tensor(name, datatype, shape, [*map(float, values)] if datatype == "FP64" and None not in values else values)


def _flat(name: str, shape: "list[int]", data: "list[Any]") -> "list[Any]":
    """Bring nested arrays to one.

    :raises MalformedRequest: the arrays do not have the shape.
    """
    if not any([isinstance(value, list) for value in data]):
        if len(data) != prod(shape):
            raise _wrong_count(name, shape, len(data))
        return data
    level: list[Any] = [data]
    for size in shape:
        if not all([isinstance(part, list) and len(part) == size for part in level]):
            raise MalformedRequest(f"the arrays in the data of tensor {preview(name)} do not have the shape {shape}")
        level = [value for part in level for value in part]
    return level


def _wrong_count(name: str, shape: "list[int]", count: int) -> MalformedRequest:
    return MalformedRequest(f"tensor {preview(name)} of the shape {shape} should have {prod(shape)} values, got {count}")


def _texts(name: str, data: "memoryview") -> "list[Any]":
    """Read texts, each with its length before it.

    :raises MalformedRequest: the bytes break off, or are not UTF-8.
    """
    texts, place, end = list[str](), 0, len(data)
    while place < end:
        size = LENGTH.unpack_from(data, place)[0] if end - place >= LENGTH.size else end
        place += LENGTH.size
        if size > end - place:
            raise MalformedRequest(f"the bytes of tensor {preview(name)} break off in value {len(texts)}")
        try:
            texts.append(str(data[place : place + size], "utf-8"))
        except UnicodeDecodeError:
            raise MalformedRequest(f"value {len(texts)} of tensor {preview(name)} is not UTF-8") from None
        place += size
    return texts


def _reader(datatype: str) -> "Callable[[Any], Any]":
    """Choose the function that checks one value of JSON; it raises ValueError for a value of another kind."""
    if datatype == "BYTES":
        return _text
    if datatype == "BOOL":
        return _flag
    if datatype in ("FP16", "FP32", "FP64"):
        return lambda value: _number(value, LARGEST.get(datatype))
    low, high = _bounds(datatype)
    return lambda value: _whole(value, low, high)


def _bounds(datatype: str) -> "tuple[int, int]":
    """Get the smallest and the largest whole number of a datatype."""
    bits = 8 * calcsize(CODES[datatype])
    return (0, (1 << bits) - 1) if datatype.startswith("U") else (-(1 << bits - 1), (1 << bits - 1) - 1)


def _described(datatype: str) -> str:
    if datatype in ("BYTES", "BOOL"):
        return "a string for BYTES" if datatype == "BYTES" else "true or false for BOOL"
    if datatype in ("FP16", "FP32", "FP64"):
        return f"a number that {datatype} holds, or null"
    low, high = _bounds(datatype)
    return f"a whole number from {low} to {high} for {datatype}"


def _text(value: "Any") -> "str | None":
    if value is None or isinstance(value, str):
        return value
    raise ValueError


def _flag(value: "Any") -> "bool | None":
    if value is None or (type(value) in (bool, int, float) and value in (0, 1)):
        return value if value is None else bool(value)
    raise ValueError


def _number(value: "Any", largest: "float | None") -> "float | None":
    if value is None:
        return None
    if type(value) not in (int, float):
        raise ValueError
    if largest is not None and isfinite(value) and abs(value) > largest:
        raise ValueError
    return float(value)


def _whole(value: "Any", low: int, high: int) -> "int | None":
    if value is None:
        return None
    if type(value) not in (int, float) or value != value or not low <= value <= high or value != int(value):
        raise ValueError
    return int(value)

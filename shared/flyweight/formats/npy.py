"""NumPy's files: parse npy and npz without NumPy and without pickles, and write npy.

https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import struct
from math import prod

from flyweight.errors import MalformedRequest, NotAcceptable, TooLarge, preview
from flyweight.formats.bounds import ROOM, TIMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.validation import Validator

    Array = tuple[list[int], list[Any]]  # a shape, and values in the order of rows

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000  # bytes, as NumPy's own limit
# from the kinds and sizes of NumPy to the letters of `struct`
LETTERS = {
    **{"f2": "e", "f4": "f", "f8": "d", "b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H"},
    **{"i4": "i", "u4": "I", "i8": "q", "u8": "Q"},
}
SPARSE = {"data", "indices", "indptr", "shape", "format"}  # the arrays of scipy's `save_npz`


def parse(body: bytes, is_npy: bool, validator: "Validator") -> "list[list[Any]]":
    """Parse a matrix with one row an instance: npy, or npz with one array or with a sparse matrix of scipy in rows (CSR).

    :returns: instances in the order of the features; they are not validated yet.
    :raises TooLarge: the body or what it holds is over the limits.
    :raises MalformedRequest: it is no such file, or has another shape.
    """
    limits = validator.limits
    if len(body) > limits.max_body_bytes:
        raise TooLarge(f"the body has {len(body)} bytes, the limit is {limits.max_body_bytes}")
    arrays = {"": body} if is_npy else _unzipped(body, limits.max_body_bytes)
    width = len(validator.features)
    if {*arrays} == SPARSE:
        shape, values = _dense({name: array(part) for name, part in arrays.items()}, len(body), limits.max_instances)
    elif len(arrays) == 1:
        shape, values = array(next(iter(arrays.values())), limits.max_instances * width)
    else:
        raise MalformedRequest(f"expected one array in the npz, or a sparse matrix of scipy in rows; it has {len(arrays)} arrays")
    if len(shape) == 1:
        shape = [shape[0], 1] if width == 1 else [1, shape[0]]
    if len(shape) != 2 or shape[1] != width:
        raise MalformedRequest(f"expected an array of the shape (instances, {width}), got {tuple(shape)}")
    if shape[0] > limits.max_instances:
        raise TooLarge(f"{shape[0]} instances, the limit is {limits.max_instances} a request")
    return [values[begin : begin + width] for begin in range(0, shape[0] * width, width)]


def array(data: bytes, most: "int | None" = None) -> "Array":
    """Parse one npy file.

    :param most: the number of values above which it is refused before they are read.
    :raises MalformedRequest: it is no npy file, or holds what is neither numbers nor texts.
    :raises TooLarge: more values.
    """
    if data[:6] != MAGIC or len(data) < 12:
        raise MalformedRequest("the body is no npy file: it does not begin with \\x93NUMPY")
    wide = data[6] > 1
    size = int.from_bytes(data[8:12] if wide else data[8:10], "little")
    begin = 12 if wide else 10
    described, by_column, shape = _header(data[begin : begin + size] if size <= MAX_HEADER else b"")
    count = prod(shape)
    if most is not None and count > most:
        raise TooLarge(f"the array has {count} values, the limit is {most}")
    values = _values(data[begin + size :], described, count)
    if by_column and len(shape) == 2:
        values = [value for row in range(shape[0]) for value in values[row :: shape[0]]]
    return shape, values


def write(values: "list[Any]") -> bytes:
    """Write labels, numbers, or rows of numbers, as one npy file.

    :raises NotAcceptable: they are neither.
    """
    shape = (len(values), len(values[0])) if values and isinstance(values[0], list) else (len(values),)
    flat = [value for row in values for value in row] if len(shape) == 2 else values
    kinds = {*map(type, flat)}
    if kinds == {str}:
        longest = max(map(len, flat)) or 1
        kind, data = f"<U{longest}", b"".join([text.ljust(longest, "\0").encode("utf-32-le", "replace") for text in flat])
    elif kinds == {bool}:
        kind, data = "|b1", bytes(flat)
    elif kinds == {int} and all([-(1 << 63) <= value < 1 << 63 for value in flat]):
        kind, data = "<i8", struct.pack(f"<{len(flat)}q", *flat)
    elif kinds <= {float, int}:
        kind, data = "<f8", struct.pack(f"<{len(flat)}d", *flat)
    else:
        raise NotAcceptable("the answer is no array of one kind; accept application/json, or ask for one output")
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"  # the values begin at a multiple of 64 bytes
    return MAGIC + b"\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def _header(text: bytes) -> "tuple[str, bool, list[int]]":
    """Read the type, the order and the shape of an array.

    :raises MalformedRequest: they are not there.
    """
    from ast import literal_eval

    try:
        header = literal_eval(text.decode("latin-1").strip())
        kind, by_column, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, LookupError, MemoryError, RecursionError):
        raise MalformedRequest("the npy file has no header that NumPy writes") from None
    sizes = isinstance(shape, tuple) and len(shape) <= 2 and all([type(size) is int and 0 <= size < 1 << 63 for size in shape])
    if not isinstance(kind, str) or not sizes:
        raise MalformedRequest(f"expected an array of numbers or texts in at most two dimensions, got {preview(str(kind))}")
    return kind, bool(by_column), [*shape]


def _values(data: bytes, kind: str, count: int) -> "list[Any]":
    """Read values of one type.

    :raises MalformedRequest: the type is neither of numbers nor of texts, or there are too few or too many bytes.
    """
    order, code = (kind[:1], kind[1:]) if kind[:1] in ("<", ">", "|", "=") else ("<", kind)
    order = ">" if order == ">" else "<"
    if code[:1] in ("U", "S") and code[1:].isdecimal() and 0 < int(code[1:9]) and len(code) < 9:
        return _texts(data, order, code[0], int(code[1:]), count)
    if code not in LETTERS:
        what = "holds a pickle, which is code" if code == "O" else f"is of the type {preview(kind)}"
        raise MalformedRequest(f"the array {what}; expected numbers or texts")
    _check_size(data, struct.calcsize(f"{order}{LETTERS[code]}") * count)
    return [*struct.unpack(f"{order}{count}{LETTERS[code]}", data)]


def _check_size(data: bytes, promised: int) -> None:
    """Check that an array has the bytes that its header promises.

    :raises MalformedRequest: there are fewer or more.
    """
    if len(data) != promised:
        raise MalformedRequest(f"the array has {len(data)} bytes; its header promises {promised}")


def _texts(data: bytes, order: str, kind: str, length: int, count: int) -> "list[str]":
    """Read texts of one length, which end before the zeros that fill them.

    :raises MalformedRequest: there are too few or too many bytes, or they are no texts.
    """
    encoding, width = ("utf-32-le" if order == "<" else "utf-32-be", 4 * length) if kind == "U" else ("utf-8", length)
    _check_size(data, width * count)
    try:
        return [data[place : place + width].decode(encoding).rstrip("\0") for place in range(0, len(data), width)]
    except UnicodeDecodeError:
        raise MalformedRequest("the array holds texts that are no Unicode") from None


def _unzipped(body: bytes, most: int) -> "dict[str, bytes]":
    """Unpack the arrays of an npz file, by name, and stop where they are larger than a body may be.

    :raises MalformedRequest: it is no npz file.
    :raises TooLarge: the arrays are larger.
    """
    from io import BytesIO
    from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
    from zlib import error as BadStream

    found, left = {}, most
    try:
        with ZipFile(BytesIO(body)) as file:
            for member in file.infolist()[: len(SPARSE) + 1]:
                if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # the others unpack a block at once, of any size
                    raise MalformedRequest("the npz is compressed in another way than NumPy compresses it; save it by NumPy")
                with file.open(member) as stream:
                    part = stream.read(left + 1)
                left -= len(part)
                if left < 0:
                    raise TooLarge(f"the arrays of the npz have more than {most} bytes, which is the limit")
                found[member.filename.removesuffix(".npy")] = part
    except (BadZipFile, BadStream, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        raise MalformedRequest("the body is no npz file, or it is damaged or encrypted") from None
    return found


def _dense(arrays: "dict[str, Array]", size: int, max_instances: int) -> "Array":
    """Make rows of a sparse matrix, if they take no more memory than a body of its size may.

    :raises MalformedRequest: the matrix is of another form, or its indices are not within it.
    :raises TooLarge: it has more rows than the limit, or they take more memory.
    """
    form = arrays["format"][1][:1]
    shape, (data, indices, ends) = arrays["shape"][1], [arrays[name][1] for name in ("data", "indices", "indptr")]
    whole = all([type(number) is int and number >= 0 for number in (*shape, *indices, *ends)])
    if form not in (["csr"], [b"csr"]) or len(shape) != 2 or not whole:
        raise MalformedRequest("expected a sparse matrix in rows; convert it by matrix.tocsr()")
    if not all([isinstance(value, (int, float)) for value in data]):
        raise MalformedRequest("the sparse matrix holds texts; expected numbers")
    rows, width = shape
    if rows > max_instances:
        raise TooLarge(f"{rows} instances, the limit is {max_instances} a request")
    if rows * width * 8 > TIMES * size + ROOM:
        raise TooLarge(f"a matrix of {rows} rows and {width} columns takes too much memory for a body of {size} bytes")
    ordered = len(ends) == rows + 1 and ends[0] == 0 and all(map(int.__le__, ends, ends[1:])) and ends[-1] == len(data)
    if not ordered or len(indices) != len(data) or not all([index < width for index in indices]):
        raise MalformedRequest("the sparse matrix has indices that are not within it")
    values = [0.0] * (rows * width)
    for row in range(rows):
        for place in range(ends[row], ends[row + 1]):
            values[row * width + indices[place]] += data[place]
    return shape, values

"""Refuse an ONNX graph that names data outside of it, by a walk over the few fields where tensors can stand.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from flyweight.errors import ModelRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# message -> its fields that lead to tensors, and the message of each
MESSAGES: "dict[str, dict[int, str]]" = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
OUTSIDE = {13, 14}  # TensorProto.external_data, data_location
MAX_DEPTH = 50


def refuse_outside_data(data: bytes) -> None:
    """Check that no tensor of the graph names a file; a runtime might read it.

    :raises ModelRefused: a tensor names a file, or the bytes are not a protobuf message.
    """
    if b"location" in data:  # the key under which a tensor names its file; most graphs do not have it, and need no walk
        _walk(memoryview(data), "model", 0)


def operators(data: bytes) -> "Iterator[tuple[str, str]]":
    """Yield the domain and the name of each node's operator; nodes within nodes are left out.

    :raises ModelRefused: the bytes are not a protobuf message.
    """
    graphs = [content for field, content in _fields(memoryview(data)) if field == 7 and not isinstance(content, int)]
    for graph in graphs:
        for field, node in _fields(graph):
            if field == 1 and not isinstance(node, int):
                texts = {
                    key: bytes(content).decode("utf-8", "replace")
                    for key, content in _fields(node)
                    if not isinstance(content, int)
                }
                yield texts.get(7, ""), texts.get(4, "")


def _walk(data: memoryview, message: str, depth: int) -> None:
    """Check one message and all messages in it that lead to tensors.

    :raises ModelRefused: a tensor names a file, or the bytes are not such a message.
    """
    if depth > MAX_DEPTH:
        raise ModelRefused(f"the graph is nested more than {MAX_DEPTH} deep")
    inner = MESSAGES[message]
    for field, content in _fields(data):
        if message == "tensor" and field in OUTSIDE and content != 0:
            raise ModelRefused("the graph names data outside of the file, which is never read; save it with its data inside")
        if field in inner:
            if isinstance(content, int):
                raise ModelRefused("the graph is not an ONNX model")
            _walk(content, inner[field], depth + 1)


def _fields(data: memoryview) -> "Iterator[tuple[int, memoryview | int]]":
    """Yield each field's number and its content: bytes, or a whole number; fields of fixed width are skipped.

    :raises ModelRefused: the bytes are not a protobuf message.
    """
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        kind = key & 7
        if key >> 32:  # other readers cut it to 32 bits, and so would see another field
            raise ModelRefused("the graph is not an ONNX model")
        if kind == 0:
            value, place = _number(data, place)
            yield key >> 3, value
        elif kind == 2:
            length, place = _number(data, place)
            yield key >> 3, data[place : place + length]
            place += length
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise ModelRefused("the graph is not an ONNX model")
    if place != len(data):
        raise ModelRefused("the graph is truncated")


def _number(data: memoryview, place: int) -> "tuple[int, int]":
    """Return a varint and the place after it.

    :raises ModelRefused: it does not end.
    """
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ModelRefused("the graph is truncated, or not an ONNX model")
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place

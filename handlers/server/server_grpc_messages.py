"""Translate the messages of gRPC to requests of the protocol over HTTP, and its answers back to messages.

The fields and their numbers: https://github.com/kserve/open-inference-protocol, open_inference_grpc.proto. RepositoryIndex and
ModelConfig are Triton's: https://github.com/triton-inference-server/common, protobuf. A tensor's values become the bytes that the
protocol's binary tensor data extension has.
"""

from struct import Struct, calcsize, error, pack, unpack

from server_protobuf import BYTES, EIGHT, FOUR, VARINT, data, fields, signed, text, text_of, varints, whole, wholes

from flyweight import strict_json
from flyweight.errors import MalformedRequest, NotFound, TooLarge, preview
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SERVICE = "inference.GRPCInferenceService"
MOST_PARTS = 10_000  # tensors, outputs or parameters of one request
MOST_DIMENSIONS, LONGEST_SHAPE = 8, 80  # bytes, ten for each dimension
HEADER = "inference-header-content-length"  # of the JSON before the bytes of tensors
# from datatypes to the field of a tensor's contents that holds the values, and the format of `struct`; FP16 has no such field
INT, INT64, UINT, UINT64, FP32, FP64 = 2, 3, 4, 5, 6, 7
FIELDS = {
    **{"BOOL": (1, "?"), "INT8": (INT, "b"), "INT16": (INT, "h"), "INT32": (INT, "i"), "INT64": (INT64, "q")},
    **{"UINT8": (UINT, "B"), "UINT16": (UINT, "H"), "UINT32": (UINT, "I"), "UINT64": (UINT64, "Q")},
    **{"FP32": (FP32, "f"), "FP64": (FP64, "d"), "BYTES": (8, "")},
}
NAMES = ("", "bool", "int", "int64", "uint", "uint64", "fp32", "fp64", "bytes")  # of those fields, without `_contents`
FLOATS = {FP32: (FOUR, 4), FP64: (EIGHT, 8)}  # the kind and the width of one value
SIGNED = {INT: 32, INT64: 64}  # bits
LENGTH = Struct("<I")  # before each text in the bytes of a tensor
# Triton's numbers of datatypes
TYPES = ("", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "STRING")


class Asked(Value):
    """A request for the protocol, without what all requests of gRPC share; `raw`: whether tensors came as raw bytes."""

    method: str
    path: str
    headers: "Mapping[str, str]"
    body: bytes
    raw: bool = False


def read(method: str, message: bytes) -> Asked:
    """Translate the request of a method.

    :raises MalformedRequest: the message is not protobuf, or its parts contradict each other.
    :raises NotFound: the message names no model, or one that can't exist.
    :raises TooLarge: it has more parts than a request may have.
    """
    if method == "ModelInfer":
        return _inference(message)
    verb, path, _ = METHODS[method]
    if "{}" not in path:
        _grouped(message)
        return Asked(verb, path, {}, b"")
    parts = _grouped(message)
    return Asked(verb, path.format(_named(_text(parts, 1, "name"), _text(parts, 2, "version"))), {}, b"")


def write(method: str, asked: Asked, body: bytes, headers: "Mapping[str, str]") -> bytes:
    """Translate the protocol's answer to a request.

    :param body: the answer's body, JSON and maybe bytes of tensors after it.
    :param headers: of the answer.
    """
    length = int(headers.get(HEADER, len(body)))
    document: Any = strict_json.parse(body[:length].decode())
    if method == "ModelInfer":
        return _inferred(document, body[length:], asked.raw)
    return METHODS[method][2](document)


def _inference(message: bytes) -> Asked:
    """Translate a request for inference.

    :raises FlyweightError: as `read`.
    """
    parts = _grouped(message)
    named = _named(_text(parts, 1, "model_name"), _text(parts, 2, "model_version"))
    raw = parts.get(7)
    inputs = parts.get(5, [])
    if raw is not None and len(raw) != len(inputs):
        raise MalformedRequest(f"raw_input_contents has {len(raw)} items; expected one for each of the {len(inputs)} inputs")
    tensors, pieces = [], []
    for place, part in enumerate(inputs):
        described, piece = _tensor(part, None if raw is None else raw[place])
        tensors.append({**described, "parameters": {"binary_data_size": len(piece)}})
        pieces.append(piece)
    flags = dict([_flag(part) for part in parts.get(4, [])])
    outputs = [{"name": _text(_grouped(part), 1, "the name of an output")} for part in parts.get(6, [])]
    document = {"inputs": tensors, "outputs": outputs, "parameters": {**flags, "binary_data_output": True}}
    request_id = _text(parts, 3, "id")
    head = strict_json.encode({**document, **({"id": request_id} if request_id else {})})
    headers = {"content-type": "application/json", HEADER: str(len(head))}
    return Asked("POST", f"/v2/models/{named}/infer", headers, b"".join((head, *pieces)), raw is not None)


def _tensor(message: bytes, raw: "bytes | None") -> "tuple[dict[str, Any], bytes]":
    """Read an input: its description, and the bytes of its values.

    :param raw: the bytes, if the request has them outside its tensors.
    :raises MalformedRequest: the tensor has values beside raw bytes, or values in a field of another datatype.
    """
    parts = _grouped(message)
    name, datatype = _text(parts, 1, "the name of an input"), _text(parts, 2, "the datatype of an input")
    shape: list[int] = []
    for number, kind, value in fields(message):
        if number == 3:
            if len(shape) > MOST_DIMENSIONS or (isinstance(value, bytes) and len(value) > LONGEST_SHAPE):
                raise MalformedRequest(f"tensor {preview(name)} has more than {MOST_DIMENSIONS} dimensions")
            shape += [signed(size, 64) for size in _numbers(kind, value)]
    described = {"name": name, "datatype": datatype, "shape": shape}
    contents = b"".join(parts.get(5, []))  # parts of one message are one message
    if raw is None:
        return described, _contents(name, datatype, contents)
    if contents:
        raise MalformedRequest(f"tensor {preview(name)} has contents beside raw_input_contents; send one of them")
    return described, raw


def _contents(name: str, datatype: str, message: bytes) -> bytes:
    """Bring the typed values of a tensor to bytes.

    :raises MalformedRequest: they are in a field of another datatype, or a number is beyond the datatype.
    """
    field, code = FIELDS.get(datatype, (0, ""))
    single, width = FLOATS.get(field, (BYTES, 1))
    numbers, written = list[int](), bytearray()
    for number, kind, value in fields(message):
        if number != field:
            if number < len(NAMES):
                raise _misplaced(name, datatype, number)
        elif field < FP32:
            numbers += _numbers(kind, value)
        elif isinstance(value, bytes) and kind in (single, BYTES):
            if len(value) % width:
                raise MalformedRequest(f"the {NAMES[field]}_contents of tensor {preview(name)} break off in a value")
            written += value if field in FLOATS else LENGTH.pack(len(value)) + value
    return _packed(name, datatype, code, numbers) if numbers else bytes(written)


def _packed(name: str, datatype: str, code: str, numbers: "list[int]") -> bytes:
    """Bring whole numbers or truth values to bytes.

    :param numbers: the lowest 64 bits of each.
    :raises MalformedRequest: a number is beyond the datatype.
    """
    bits = SIGNED.get(FIELDS[datatype][0])
    if datatype == "BOOL":
        return bytes([value != 0 for value in numbers])
    if bits is not None and max(numbers) >> bits - 1:
        numbers = [signed(value, bits) for value in numbers]
    elif code in "BHI" and max(numbers) >> 32:
        numbers = [value & 0xFFFFFFFF for value in numbers]
    try:
        return pack(f"<{len(numbers)}{code}", *numbers)
    except error:
        raise _beyond(name, datatype, code, numbers) from None


def _numbers(kind: int, value: "int | bytes") -> "list[int]":
    """Read the whole numbers of a field, one or several; none if it is of another kind."""
    if isinstance(value, int):
        return [value]
    return varints(value) if kind == BYTES else []


def _misplaced(name: str, datatype: str, number: int) -> MalformedRequest:
    """Make the error of values in a field that is not that of the datatype."""
    if datatype in FIELDS:
        expected = f"{NAMES[FIELDS[datatype][0]]}_contents"
        return MalformedRequest(f"tensor {preview(name)} of {datatype}: expected {expected}, got {NAMES[number]}_contents")
    return MalformedRequest(f"tensor {preview(name)}: no contents hold {preview(datatype)}; send raw_input_contents")


def _beyond(name: str, datatype: str, code: str, numbers: "list[int]") -> MalformedRequest:
    """Make the error of the first number that a datatype does not hold."""
    bits = 8 * calcsize(code)
    low, high = (0, (1 << bits) - 1) if datatype.startswith("U") else (-(1 << bits - 1), (1 << bits - 1) - 1)
    place = next(place for place, value in enumerate(numbers) if not low <= value <= high)
    expected = f"a whole number from {low} to {high} for {datatype}"
    return MalformedRequest(f"value {place} of tensor {preview(name)}: expected {expected}, got {numbers[place]}")


def _flag(entry: bytes) -> "tuple[str, bool | None]":
    """Read a parameter; the protocol knows truth values only, so that others become None."""
    parts, flag = _grouped(entry), None
    for number, kind, value in fields(b"".join(parts.get(2, []))):
        flag = bool(value) if (number, kind) == (1, VARINT) else None
    return _text(parts, 1, "the name of a parameter"), flag


def _grouped(message: bytes) -> "dict[int, list[bytes]]":
    """Read the fields of bytes of a message, by number.

    :raises MalformedRequest: the message is not protobuf.
    :raises TooLarge: a field is there too often.
    """
    found: dict[int, list[bytes]] = {}
    for number, _, value in fields(message):
        if isinstance(value, bytes):
            parts = found.setdefault(number, [])
            parts.append(value)
            if len(parts) > MOST_PARTS:
                raise TooLarge(f"field {number} of the message is there more than {MOST_PARTS} times")
    return found


def _text(parts: "dict[int, list[bytes]]", number: int, place: str) -> str:
    """Get a text of a message; "" if it has none. The last one counts."""
    return text_of(parts[number][-1], place) if number in parts else ""


def _named(name: str, version: str) -> str:
    """Say a model and its version as a path does.

    :raises NotFound: no path can name them, so that no model has that name.
    """
    if not name or any([letter in name + version for letter in "/%"]):
        of_version = f" of the version {preview(version)}" if version else ""
        raise NotFound(f"no model{of_version} is called {preview(name)}")
    return f"{name}/versions/{version}" if version else name


def _inferred(document: "Any", binary: bytes, raw: bool) -> bytes:
    """Write the answer to a request for inference: values as raw bytes, or typed."""
    parts = [text(1, document["model_name"]), text(2, document["model_version"]), text(3, document.get("id", ""))]
    pieces = []
    for tensor in document["outputs"]:
        size = tensor["parameters"]["binary_data_size"]
        piece, binary = binary[:size], binary[size:]
        described = _described(tensor, "datatype", 3)
        if raw:
            pieces.append(data(6, piece))
        else:
            described += data(5, _typed(tensor["datatype"], piece))
        parts.append(data(5, described))
    return b"".join([*parts, *pieces])


def _typed(datatype: str, piece: bytes) -> bytes:
    """Write the values of an answer, of BOOL, INT64, FP64 or BYTES, as typed contents."""
    field = FIELDS[datatype][0]
    if datatype == "INT64":
        return wholes(field, unpack(f"<{len(piece) // 8}q", piece))
    if datatype != "BYTES":
        return data(field, piece)  # numbers of fixed width, and bytes of 0 and 1, are packed in the same way
    texts, place = [], 0
    while place < len(piece):
        start = place + LENGTH.size
        place = start + LENGTH.unpack_from(piece, place)[0]
        texts.append(data(field, piece[start:place]))
    return b"".join(texts)


def _described(tensor: "Any", type_key: str, shape_field: int) -> bytes:
    """Write the name, the datatype and the shape of a tensor."""
    return text(1, tensor["name"]) + text(2, tensor[type_key]) + wholes(shape_field, tensor["shape"])


def _server(document: "Any") -> bytes:
    extensions = [data(3, extension.encode()) for extension in document["extensions"]]
    return b"".join([text(1, document["name"]), text(2, document["version"]), *extensions])


def _metadata(document: "Any") -> bytes:
    versions = [data(2, version.encode()) for version in document["versions"]]
    sides = [data(field, _described(t, "datatype", 3)) for field, side in ((4, "inputs"), (5, "outputs")) for t in document[side]]
    return b"".join([text(1, document["name"]), *versions, text(3, document["platform"]), *sides])


def _config(document: "Any") -> bytes:
    written = [text(1, document["name"]), text(2, document["platform"]), whole(4, document["max_batch_size"])]
    for field, side, dims in ((5, "input", 4), (6, "output", 3)):
        for tensor in document[side]:
            number = TYPES.index(tensor["data_type"].removeprefix("TYPE_"))
            written.append(data(field, text(1, tensor["name"]) + whole(2, number) + wholes(dims, tensor["dims"])))
    return data(1, b"".join([*written, text(17, document["backend"])]))


def _index(document: "Any") -> bytes:
    keys = ("name", "version", "state", "reason")
    return b"".join([data(1, b"".join([text(place + 1, row[key]) for place, key in enumerate(keys)])) for row in document])


# from each method but ModelInfer to the method and the path of its request over HTTP, and what writes the message of the answer
METHODS: "dict[str, tuple[str, str, Callable[[Any], bytes]]]" = {
    "ServerLive": ("GET", "/v2/health/live", lambda document: whole(1, document["live"])),
    "ServerReady": ("GET", "/v2/health/ready", lambda document: whole(1, document["ready"])),
    "ServerMetadata": ("GET", "/v2", _server),
    "ModelReady": ("GET", "/v2/models/{}/ready", lambda document: whole(1, document["ready"])),
    "ModelMetadata": ("GET", "/v2/models/{}", _metadata),
    "ModelConfig": ("GET", "/v2/models/{}/config", _config),
    "RepositoryIndex": ("POST", "/v2/repository/index", _index),
}
ALL = (*METHODS, "ModelInfer")

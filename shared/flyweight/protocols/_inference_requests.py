"""Read the body of an inference request of tensors: a JSON object, and after it the bytes of its binary tensors.

https://github.com/kserve/open-inference-protocol, and its binary tensor data extension.
"""

from flyweight.errors import MalformedRequest, TooLarge, preview
from flyweight.protocols import _documents, _tensors
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.validation import Validator
    from flyweight.protocols._tensors import Tensor
    from flyweight.values import Request

LENGTH = "inference-header-content-length"  # of the JSON before the bytes of binary tensors
EXPECTED = '{"inputs": [{"name": ..., "shape": ..., "datatype": ..., "data": ...}]}'
MOST_DIMENSIONS, LARGEST_DIMENSION = 8, 1 << 31


class Inference(Value):
    """A request: its tensors, its id if it has one, and what it says of outputs.

    `outputs`: from the names of the tensors that are asked for to whether they are to be bytes; {} for the usual ones, which are
    bytes if `binary` is true. `parse_text`: whether texts for numbers are read as in CSV.
    """

    tensors: "list[Tensor]"
    request_id: "str | None"
    outputs: "dict[str, bool]"
    binary: bool
    parse_text: bool


def read(request: "Request", validator: "Validator") -> Inference:
    """Read the body of a request; members that the protocol does not know are ignored, and so is the content type.

    :raises MalformedRequest: the body is not of the protocol.
    :raises FlyweightError: as `_documents.read`.
    """
    text, binary = _split(request, validator.limits.max_body_bytes)
    document = _documents.read(text, request, validator, EXPECTED)
    parameters = _members(document, "the body")
    tensors = _inputs(_list(document.get("inputs"), "inputs"), binary)
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise MalformedRequest(f"id should be a string, got {preview(request_id)}")
    usual = parameters.get("binary_data_output") is True
    outputs: dict[str, bool] = {}
    for output in _list(document.get("outputs") or [], "outputs"):
        name = output.get("name")
        if not isinstance(name, str):
            raise MalformedRequest(f"the name of an output should be a string, got {preview(name)}")
        outputs[name] = _members(output, "an output").get("binary_data", usual) is True
    return Inference(tensors, request_id, outputs, usual, parameters.get("parse_text") is True)


def _members(owner: "dict[str, Any]", place: str) -> "dict[str, Any]":
    """Get the parameters of a part of a request; {} if it has none.

    :raises MalformedRequest: they are no object.
    """
    found = owner.get("parameters")
    return {} if found is None else _documents.members(found, f"the parameters of {place}")


def _split(request: "Request", limit: int) -> "tuple[bytes, memoryview]":
    """Split a body into its JSON and the bytes of binary tensors.

    :raises TooLarge: it is over the limit.
    :raises MalformedRequest: the header names no length within the body.
    """
    length, size = request.headers.get(LENGTH), len(request.body)
    if size > limit:
        raise TooLarge(f"the body has {size} bytes, the limit is {limit}")
    if length is None:
        return request.body, memoryview(b"")
    if not (length.isascii() and length.isdecimal() and len(length) < 20 and int(length) <= size):
        raise MalformedRequest(f"{LENGTH} should be the bytes of JSON, 0 to {size} in this body, got {preview(length)}")
    return request.body[: int(length)], memoryview(request.body)[int(length) :]


def _inputs(inputs: "list[dict[str, Any]]", binary: memoryview) -> "list[Tensor]":
    """Read the tensors of a request; those with a `binary_data_size` are in the bytes, one after another.

    :raises MalformedRequest: one of them is malformed, or there are more or fewer bytes than they say.
    """
    tensors = []
    for tensor in inputs:
        name, datatype, shape = _described(tensor)
        size = _members(tensor, preview(name)).get("binary_data_size")
        if size is None:
            tensors.append(_tensors.of_json(name, datatype, shape, tensor.get("data")))
        elif type(size) is not int or not 0 <= size <= len(binary) or "data" in tensor:
            place = f"tensor {preview(name)} says binary_data_size {preview(size)}"
            raise MalformedRequest(f"{place}; {len(binary)} bytes are left after the JSON, whose length is the header {LENGTH}")
        else:
            tensors.append(_tensors.of_bytes(name, datatype, shape, binary[:size]))
            binary = binary[size:]
    if len(binary):
        raise MalformedRequest(f"{len(binary)} bytes of the body belong to no tensor")
    return tensors


def _described(tensor: "dict[str, Any]") -> "tuple[str, str, list[int]]":
    """Check the name, the datatype and the shape of an input.

    :raises MalformedRequest: one of them is absent or wrong.
    """
    name, datatype, shape = (tensor.get(key) for key in ("name", "datatype", "shape"))
    if not isinstance(name, str):
        raise MalformedRequest(f"the name of an input should be a string, got {preview(name)}")
    if datatype not in _tensors.DATATYPES:
        expected = f"a datatype among {', '.join(_tensors.DATATYPES)}"
        raise MalformedRequest(f"tensor {preview(name)}: expected {expected}, got {preview(datatype)}")
    sizes: list[Any] = shape if isinstance(shape, list) and len(shape) <= MOST_DIMENSIONS else []
    if not sizes or not all([type(size) is int and 0 <= size < LARGEST_DIMENSION for size in sizes]):
        raise MalformedRequest(f"tensor {preview(name)}: expected a shape such as [2, 4], got {preview(shape)}")
    return name, str(datatype), sizes


def _list(value: "Any", key: str) -> "list[dict[str, Any]]":
    """Check that a member is an array of objects.

    :raises MalformedRequest: it is something else.
    """
    if not isinstance(value, list):
        raise MalformedRequest(f"{key} should be an array of objects, got {preview(value)}; the body is {EXPECTED}")
    return [_documents.members(item, f"{key}[{place}]") for place, item in enumerate(value)]

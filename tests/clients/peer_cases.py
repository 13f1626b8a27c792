"""Requests that other model servers and ours are asked alike: right ones, and wrong ones with the reason of our answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = list[Any]


@dataclass(frozen=True)
class Case:
    """A wrong request, in words; `why` is the reason of our answer."""

    words: str
    body: bytes
    why: str
    path: str = ""
    method: str = "POST"
    content_type: str = "application/json"

    @classmethod
    def of(cls, words: str, body: Any, why: str, **rest: str) -> Case:
        """Make a case; `body` is bytes, or a document that is sent as JSON."""
        return cls(words, body if isinstance(body, bytes) else json.dumps(body).encode(), why, **rest)


@dataclass(frozen=True)
class Protocol:
    """The path of predictions, and the body of rows."""

    name: str
    path: str
    body: Callable[[list[Row]], dict[str, Any]]


def instances(rows: list[Row]) -> dict[str, Any]:
    """Make the body of rows as a list."""
    return {"instances": rows}


def tensor(rows: list[Row], **changes: Any) -> dict[str, Any]:
    """Make the body of rows as one tensor.

    :param changes: members of the tensor that differ.
    """
    data = [value for row in rows for value in row]
    return {"id": "7", "inputs": [{"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data} | changes]}


V1 = Protocol("KServe v1", "/v1/models/model:predict", instances)
V2 = Protocol("Open Inference v2", "/v2/models/model/infer", tensor)
MLFLOW = Protocol("MLflow", "/invocations", instances)

CALLER = "The caller can mend it, and learns where; a 5xx is retried."
LENGTH = "The model has a fixed number of features. " + CALLER
MISSING = "The model was fitted without missing values. " + CALLER
NUMBER = "In JSON a text is not a number; reading it would hide a fault of the caller."
READ = "The body can't be read, which is a fault of the request: 400."
BOUND = "A body that is nested too deeply is a fault of the request: 400."
FORM = {V2: ' The protocol has `{"error": TEXT}` for errors.'}
LIST = {MLFLOW: "SageMaker's clients send a bare list to the same path."}


def wrong(protocol: Protocol, row: Row) -> list[Case]:
    """List wrong requests of a protocol; `row` is a right one."""
    case = Case.of

    def rows(words: str, found: list[Row], why: str) -> Case:
        return case(words, protocol.body(found), why)

    read = READ + FORM.get(protocol, "")
    right = protocol.body([row])
    text = json.dumps(right).encode()
    number = json.dumps(row[0]).encode()
    found = [
        rows("a row with one value too few", [row[:-1]], LENGTH),
        rows("a row with one value too many", [[*row, 1.0]], LENGTH),
        rows("the text `a` for a number", [["a", *row[1:]]], CALLER),
        rows("a number in quotation marks", [[str(row[0]), *row[1:]]], NUMBER),
        rows("`null` for a number", [[None, *row[1:]]], MISSING),
        case("the token `NaN` for a number", text.replace(number, b"NaN", 1), MISSING),
        case("`1e999` for a number", text.replace(number, b"1e999", 1), "It is infinite in float64. " + CALLER),
        case("an object without rows", {}, read),
        case("`{`", b"{", read),
        case("an empty body", b"", read),
        case("bytes that are not UTF-8", b"\xff\xfe" + text, read),
        case("100,000 opening brackets", b"[" * 100_000, BOUND + FORM.get(protocol, "")),
        case("a list in the place of the object", [row], LIST.get(protocol, read)),
        case("the method GET", b"", "The path has another method, which `Allow` names.", method="GET"),
        case("XML, named so", b"<rows/>", "The media type is not offered: 415.", content_type="application/xml"),
    ]
    return found + (tensors(row, case) if protocol is V2 else several(protocol, row, rows)) + absent(protocol, right, case)


def several(protocol: Protocol, row: Row, rows: Callable[..., Case]) -> list[Case]:
    """List wrong requests that are rows in lists."""
    return [
        rows("no rows at all", [], "Nothing was asked; an empty answer would hide it."),
        rows("two rows, the second too short", [row, row[:-1]], LENGTH),
        rows("a number for a row", [row[0]], LENGTH),  # type: ignore[list-item]
    ]


def tensors(row: Row, case: Callable[..., Case]) -> list[Case]:
    """List wrong requests that are tensors."""
    shape = "The shape and the data contradict each other. " + CALLER
    return [
        case("a shape of two rows with the data of one", tensor([row], shape=[2, len(row)]), shape),
        case("a shape with a negative number", tensor([row], shape=[-1, len(row)]), "-1 stands in metadata only. " + CALLER),
        case("the datatype `FP65`", tensor([row], datatype="FP65"), READ + FORM[V2]),
        case("the datatype `INT8` with fractions", tensor([row], datatype="INT8"), "They are not whole. " + CALLER),
        case("the datatype `INT8` with 300", tensor([[300] * len(row)], datatype="INT8"), "300 is no INT8. " + CALLER),
        case("an output that the model has not", tensor([row]) | {"outputs": [{"name": "absent"}]}, CALLER),
        case("no `id`", {"inputs": tensor([row])["inputs"]}, "The specification calls it optional."),
    ]


def absent(protocol: Protocol, right: Any, case: Callable[..., Case]) -> list[Case]:
    """List requests for a model and a version that are not there."""
    found = []
    missing = "It is not there: 404, as for any other path."
    if "/model" in protocol.path:
        found.append(
            case("another model", right, missing, path=protocol.path.replace("/model", "/absent").replace("/absents", "/models"))
        )
    if protocol is V2:
        found.append(case("another version", right, missing, path="/v2/models/model/versions/9/infer"))
    return found

"""Random bodies are answered or refused, in each protocol's own form, and never with an internal error.

`PROTOCOL_FUZZ=100000 pytest tests/protocols/test_fuzz.py` sends that many to each protocol; a failure names its seed.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flyweight.protocols import _tensors
from tests.protocols.conftest import Caller

NAMES, LINES = ("x0", "x1", "x2"), {"content_type": "application/jsonlines"}
COUNT = int(os.environ.get("PROTOCOL_FUZZ", "1000"))
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 5.5, 300, 1 << 40, 1 << 63, 10**400, 1e300, float("nan"), float("inf"), -0.0),
    *(
        "",
        "a",
        "1",
        "NaN",
        "\ud800",
        "\0",
        "x" * 300,
        [],
        {},
        [[]],
        [1, 2, 3],
        [[1, 2, 3]],
        [[1], [2]],
        {"b64": "YQ=="},
        {"b64": 1},
    ),
]


def odd(random: Random, usual: Any, share: float = 0.03) -> Any:
    """The usual value, or now and then a value of any other kind."""
    return random.choice(ODD) if random.random() < share else usual


def tensors(random: Random) -> tuple[bytes, dict[str, str]]:
    """A body of tensors for a model of three numbers, right in most of its parts, and its headers."""
    count, pieces, inputs = random.randint(0, 3), list[bytes](), []
    names = random.choice([["input"], ["x0", "x1", "x2"], ["x0", "x1"], ["input", "x0"], []])
    for name in names:
        datatype = random.choice([*_tensors.DATATYPES, "FP64", "FP32", "INT64"])
        shape = [count, 3] if name == "input" else random.choice([[count], [count, 1]])
        size = count * 3 if name == "input" else count
        tensor: dict[str, Any] = {"name": odd(random, name), "shape": odd(random, shape), "datatype": odd(random, datatype)}
        values = [str(random.randint(0, 9)) if datatype == "BYTES" else random.randint(0, 1) for _ in range(size)]
        if random.random() < 0.5 and datatype != "BYTES":
            piece = struct.pack(f"<{size}{_tensors.CODES[datatype]}", *values)
            pieces.append(piece[: random.randint(0, 9)] if random.random() < 0.05 else piece)
            tensor["parameters"] = odd(random, {"binary_data_size": odd(random, len(pieces[-1]))})
        else:
            tensor["data"] = odd(random, [odd(random, value, 0.03) for value in values])
        inputs.append({key: value for key, value in tensor.items() if random.random() > 0.02})
    document: dict[str, Any] = {"inputs": odd(random, [odd(random, one, 0.03) for one in inputs], 0.03)}
    if random.random() < 0.3:
        document["outputs"] = odd(random, [{"name": odd(random, random.choice(["predictions", "scores", "shap"]))}])
    if random.random() < 0.3:
        document["parameters"] = odd(random, {"binary_data_output": odd(random, True), "parse_text": odd(random, True)})
    if random.random() < 0.3:
        document["id"] = odd(random, "7")
    text = json.dumps(document).encode()
    length = len(text) + (random.choice([-1, 1, 7]) if random.random() < 0.03 else 0)
    return b"".join((text, *pieces)), {"inference_header_content_length": str(length)} if pieces or random.random() < 0.1 else {}


def rows(random: Random) -> tuple[bytes, dict[str, str]]:
    """A body of rows, columns or examples for a model of three numbers, right in most of its parts."""
    count = random.randint(0, 3)
    values = [[odd(random, random.random(), 0.02) for _ in range(3)] for _ in range(count)]
    named = [dict(zip(("x0", "x1", "x2"), row, strict=True)) for row in values]
    columns = {name: [row[name] for row in named] for name in ("x0", "x1", "x2")}
    document: dict[str, Any] = {}
    rows_or_columns = [
        ("instances", values),
        ("instances", named),
        ("inputs", values),
        ("inputs", columns),
        ("inputs", {"i": values}),
    ]
    given = random.choice(rows_or_columns)
    document[given[0]] = odd(random, given[1])
    document["examples"] = odd(random, [odd(random, row, 0.03) for row in named])
    asked: dict[str, Any] = {
        "signature_name": "all_outputs",
        "parameters": {"outputs": odd(random, ["predictions"])},
        "context": {},
    }
    for key, usual in asked.items():
        if random.random() < 0.2:
            document[key] = odd(random, usual)
    return json.dumps(document).encode(), {}


def tables(random: Random) -> tuple[bytes, dict[str, str]]:
    """A body of one of the types of `/invocations` or `/score` for a model of three numbers, right in most of its parts."""
    count, kind = random.randint(0, 3), random.choice(["json", "json", "csv", "lines", "npy", "parquet"])
    values = [[odd(random, random.random(), 0.02) for _ in range(3)] for _ in range(count)]
    named = [dict(zip(NAMES, row, strict=True)) for row in values]
    if kind == "csv":
        lines = ([",".join(NAMES)] if random.random() < 0.5 else []) + [",".join(map(str, row)) for row in values]
        return "\n".join(lines).encode("utf-8", "replace"), {"content_type": "text/csv"}
    if kind == "lines":
        return b"\n".join(json.dumps(random.choice([values, named])[at]).encode() for at in range(count)), LINES
    if kind == "npy":
        shape = random.choice([(count, 3), (3,), (count, 2), (count, 3, 1)])
        return npy(random, np.ones(shape, random.choice(["f8", "f4", "i8", "?", "U3", "O"]))), {
            "content_type": "application/x-npy"
        }
    if kind == "parquet":
        names = random.choice([NAMES, NAMES, NAMES, NAMES[:2]])
        columns = {
            name: random.choice([[0.5] * count, [1] * count, ["a"] * count if random.random() < 0.1 else [None] * count])
            for name in names
        }
        return parquet(columns), {"content_type": "application/vnd.apache.parquet"}
    split = {"columns": odd(random, list(NAMES)), "index": odd(random, [*range(count)]), "data": odd(random, values)}
    by_name = {name: odd(random, [row[name] for row in named]) for name in NAMES}
    given = {
        **{name: random.choice([values, named, by_name]) for name in ("instances", "inputs")},
        **{"dataframe_split": split, "dataframe_records": named, "data": values, "input_data": random.choice([split, values])},
    }
    name = random.choice([*given])
    document: dict[str, Any] = {name: odd(random, given[name])}
    for key, usual in (("params", {}), ("parameters", {"outputs": odd(random, ["predictions"])}), ("columns", list(NAMES))):
        if random.random() < 0.1:
            document[key] = odd(random, usual)
    return json.dumps(random.choice([document, document, document, values])).encode(), {}


def instances(random: Random) -> tuple[bytes, dict[str, str]]:
    """A body of instances and parameters alone."""
    values = [[odd(random, random.random(), 0.02) for _ in range(3)] for _ in range(random.randint(0, 3))]
    named = [dict(zip(NAMES, row, strict=True)) for row in values]
    document: dict[str, Any] = {"instances": odd(random, random.choice([values, named]))}
    if random.random() < 0.3:
        document["parameters"] = odd(random, {"outputs": odd(random, ["predictions"])})
    return json.dumps(document).encode(), {}


def npy(random: Random, array: Any) -> bytes:
    """An array as NumPy writes it, with pickles for objects."""
    file = io.BytesIO()
    np.save(file, np.asfortranarray(array) if random.random() < 0.3 else array, allow_pickle=True)
    return file.getvalue()


def parquet(columns: dict[str, list[Any]]) -> bytes:
    """A table as pyarrow writes it."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def damaged(random: Random, body: bytes) -> bytes:
    """The body itself, or now and then one with wrong, missing or further bytes."""
    if random.random() < 0.85 or not body:
        return body
    place = random.randrange(len(body))
    changed = body[:place] + random.randbytes(2) + body[place + 1 :]
    return random.choice([body[:place], changed, body + b"}", random.randbytes(20)])


def text_of(document: Any) -> Any:
    """The message of an error, in each protocol's form."""
    return document.get("message", document.get("error", document)) if isinstance(document, dict) else None


@pytest.mark.parametrize(
    ("protocol", "make", "paths", "message"),
    [
        ("open_inference", tensors, ["/v2/models/numbers/infer", "/v2/models/numbers/versions/1/infer"], text_of),
        ("kserve", rows, ["/v1/models/numbers:predict"], text_of),
        (
            "tensorflow_serving",
            rows,
            ["/v1/models/numbers/versions/1:predict", "/v1/models/numbers:classify", "/v1/models/numbers/versions/0:regress"],
            text_of,
        ),
        ("mlflow", tables, ["/invocations"], text_of),
        ("sagemaker", tables, ["/invocations"], text_of),
        ("vertex", instances, ["/v1/endpoints/1/deployedModels/2:predict"], lambda document: text_of(document["error"])),
        ("azure_ml", tables, ["/score"], lambda document: text_of(document["error"])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_random_bodies_are_answered_or_refused(
    protocol: str,
    make: Callable[[Random], tuple[bytes, dict[str, str]]],
    paths: list[str],
    message: Callable[[Any], Any],
    caller: Callable[..., Caller],
) -> None:
    ask, statuses = caller("numbers", protocols=(protocol,)), Counter[int]()
    for seed in range(COUNT):
        random = Random(seed)
        body, headers = make(random)
        status, document = ask("POST", random.choice(paths), damaged(random, body), **{"accept": "application/json", **headers})
        ask.entries.clear()
        statuses[status] += 1
        assert status in (200, 400, 413, 415), f"seed {seed}: {document}"
        assert status == 200 or isinstance(message(document), str), f"seed {seed}: {document}"
    assert statuses[200] > COUNT / 20 and statuses[400] > COUNT / 20, statuses
    print(dict(statuses))

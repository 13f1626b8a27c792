"""Answer many instances in blocks, which are predicted and written while the answer is sent: it never lies in memory as a whole.

Only CSV and NDJSON have one line an instance; an answer in JSON is written as a whole. So are small answers in any form.
"""

from flyweight import formats
from flyweight.protocols import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Query
    from flyweight.values import Prediction, Request

FIRST_ROWS, MOST_ROWS = 16, 500  # instances of a block
BLOCK = 1 << 18  # bytes of a block, about
WHOLE = 1 << 20  # bytes up to which an answer is sent as a whole


def infer(
    context: "Context",
    request: "Request",
    name: str,
    parse: "Callable[[Request, Predictor], Query]",
    render: "Callable[[Prediction, Query, Predictor], Answer]",
) -> Answer:
    """Answer a request for inference as `protocols.infer` does, a large answer of lines in blocks.

    :param name: the model's name, "" for the default one.
    :raises FlyweightError: the request is at fault, or no model can answer; an error after the first blocks is raised by them.
    """
    predictor = context.predictor(name)
    query = parse(request, predictor)
    rows = predictor.validator.rows(query.instances)
    context.log_fields["instances"] = len(rows)
    if query.content_type not in LINES:
        return render(predictor.answer(rows, query.outputs), query, predictor)
    blocks = _written(predictor, rows, query)
    first: list[bytes] = []
    while sum(map(len, first)) < WHOLE:
        block = next(blocks, None)
        if block is None:
            return Answer(b"".join(first), query.content_type)
        first.append(block)
    return Answer(b"".join(first), query.content_type, blocks=blocks)


def _written(predictor: "Predictor", rows: "list[list[Any]]", query: "Query") -> "Iterator[bytes]":
    """Predict and write instances, some at a time."""
    write, begin, some = LINES[query.content_type], 0, FIRST_ROWS
    while begin < len(rows):
        block = write(predictor.answer(rows[begin : begin + some], query.outputs), begin == 0)
        yield block
        begin += some
        some = max(1, min(MOST_ROWS, some * BLOCK // (len(block) + 1)))


def _csv(prediction: "Prediction", first: bool) -> bytes:
    from flyweight.formats import csv

    return csv.write(prediction, header=first).encode("utf-8", "replace")


def _ndjson(prediction: "Prediction", first: bool) -> bytes:
    return formats.write(prediction, "application/x-ndjson", {})


LINES: "dict[str, Callable[[Prediction, bool], bytes]]" = {"text/csv": _csv, "application/x-ndjson": _ndjson}

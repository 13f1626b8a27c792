"""The judge of a fuzzed body: what a sound one has to be answered, and what an answer to a damaged one may be."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Sequence
from typing import Any

from tests.fuzz.bodies import Body, Row


class Judge:
    """Compares answers with those of a model to plain rows, which Python's own readers take from the body.

    :param predict: answers one row, or raises; it stands for the model.
    :param names: the features, in their order.
    :param numbers: the names of those that are numbers.
    """

    def __init__(self, predict: Any, names: Sequence[str], numbers: set[str]) -> None:
        self.predict, self.names, self.numbers = predict, names, numbers
        self._known: dict[str, Any] = {}

    def fault(self, body: Body, status: int, answer: bytes) -> str:
        """Say what is wrong with an answer; "" if nothing is, "unjudged" if the body can't be read by plain means."""
        if status >= 500 or status not in (200, 400, 406, 413, 415, 422):
            return f"status {status}"
        document = json.loads(answer)
        if status != 200:
            missing = {"type", "title", "status", "detail", "request_id"} - {*document}
            if body.rows:
                return f"a sound body is refused: {document.get('detail')}"
            return f"the problem lacks {missing}" if missing else "" if len(answer) < 16_384 else "the problem is long"
        rows = body.rows if body.rows is not None else self._read(body)
        if rows is None:
            return "unjudged"
        expected = [self._expected(row) for row in rows]
        return "" if document["predictions"] == expected else f"answered {document['predictions']}, not {expected}"[:300]

    def _expected(self, row: Row) -> Any:
        key = json.dumps([row.get(name) for name in self.names])
        if key not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[key] = self.predict({name: row.get(name) for name in self.names})
        return self._known[key]

    def _read(self, body: Body) -> list[Row] | None:
        """Read the rows of a damaged body that was answered; None if plain means do not tell them."""
        data = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(body.encoding, bytes)(body.data)
        text = data.decode("utf-8-sig")
        try:
            if body.content_type == "text/csv":
                return [self._of_texts(row) for row in csv.DictReader(io.StringIO(text, newline=""))]
            if body.content_type == "application/x-ndjson":
                return [self._of_instance(json.loads(line)) for line in text.split("\n") if line.strip()]
            if body.content_type == "application/json":
                document = json.loads(text)
                document = document["instances"] if isinstance(document, dict) else document
                return [self._of_instance(instance) for instance in document]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return None

    def _of_instance(self, instance: Any) -> Row:
        row = dict(instance if isinstance(instance, dict) else zip(self.names, instance, strict=True))
        if not {*row} <= {*self.names}:
            raise ValueError
        return row

    def _of_texts(self, texts: dict[str, str]) -> Row:
        row: Row = {}
        for name, text in texts.items():
            if name.strip() not in self.names or name.strip() in row:
                raise ValueError
            row[name.strip()] = float(text) if name.strip() in self.numbers and text.strip() else text
        if any(
            (isinstance(text, str) and text != text.strip()) or text in ("", "NA", "nan", "NaN", "null") for text in row.values()
        ):
            raise ValueError  # what is missing in CSV is told by the model file
        return row

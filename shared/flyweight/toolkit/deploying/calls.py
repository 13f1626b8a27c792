"""Send the rows of a table to an endpoint in concurrent batches; yield answers and rejected rows in order."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flyweight.toolkit.deploying.endpoint import Endpoint, Reply
from flyweight.toolkit.errors import DeployFailed

REFUSED = frozenset((400, 413, 422))  # statuses caused by rows, not by the caller: fewer rows may be accepted
Row = Sequence[str]


@dataclass(frozen=True)
class Rejected:
    """A row that the endpoint rejects; `row` counts from 0, as in `flyweight predict`."""

    row: int
    values: Row
    problem: dict[str, Any]


@dataclass
class Answers:
    """The answers to a batch.

    `lines`: one per row, None for a rejected row; `header`: the header of the lines, empty if all rows were rejected.
    """

    header: list[str] = field(default_factory=list)
    lines: list[list[str] | None] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    requests: int = 0
    tries: int = 0

    def __add__(self, other: Answers) -> Answers:
        """Concatenate two batches of answers."""
        return Answers(
            self.header or other.header, self.lines + other.lines, self.rejected + other.rejected,
            self.requests + other.requests, self.tries + other.tries,
        )  # fmt: skip


class Caller:
    """Sends batches of rows under one header; `outputs` selects the model's outputs."""

    def __init__(self, endpoint: Endpoint, columns: Sequence[str], path: str = "/predict") -> None:
        self.endpoint, self.columns, self.path = endpoint, list(columns), path

    def answers(self, rows: Iterable[Row], batch: int, threads: int) -> Iterator[Answers]:
        """Yield each batch's answers in order; reads ahead at most twice as many batches as it sends concurrently.

        :raises DeployFailed: the endpoint does not answer, or refuses the caller.
        """
        source = iter(rows)
        waiting: deque[Future[Answers]] = deque()
        start = 0
        with ThreadPoolExecutor(threads) as pool:
            try:
                while True:
                    while len(waiting) < 2 * threads and (part := list(islice(source, batch))):
                        waiting.append(pool.submit(self._batch, part, start))
                        start += len(part)
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _batch(self, rows: list[Row], start: int) -> Answers:
        """Get the answers for rows; if the batch is refused, get them for its valid rows, and the reasons for the others.

        :raises DeployFailed: the endpoint refuses the caller, or returns a different number of rows.
        """
        reply = self.endpoint.ask("POST", self.path, self._body(rows), content_type="text/csv", accept="text/csv")
        if reply.status == 200:
            header, *lines = csv.reader(io.StringIO(reply.body.decode(), newline=""))
            if len(lines) != len(rows):
                raise DeployFailed(
                    f"{len(rows)} rows were sent, {len(lines)} came back", "check that this is an endpoint of flyweight"
                )
            return Answers(header, [*lines], [], 1, reply.tries)
        if reply.status not in REFUSED:
            raise refusal(self.endpoint.url, reply)
        counted = Answers(requests=1, tries=reply.tries)
        named = _named(reply, len(rows))
        if len(rows) == 1:
            problem = _of_row(reply.problem, 0) if named else reply.problem
            return counted + Answers([], [None], [Rejected(start, rows[0], problem)])
        if not named:
            half = len(rows) // 2
            return counted + self._batch(rows[:half], start) + self._batch(rows[half:], start + half)
        return counted + self._without(rows, start, named, reply.problem)

    def _without(self, rows: list[Row], start: int, named: list[int], problem: dict[str, Any]) -> Answers:
        """Reject the rows that a refusal names, and send the others again."""
        rest = [number for number in range(len(rows)) if number not in {*named}]
        rejected = [Rejected(start + number, rows[number], _of_row(problem, number)) for number in named]
        answered = self._batch([rows[number] for number in rest], 0) if rest else Answers()
        lines: list[list[str] | None] = [None] * len(rows)
        for number, line in zip(rest, answered.lines, strict=True):
            lines[number] = line
        rejected += [Rejected(start + rest[one.row], one.values, one.problem) for one in answered.rejected]
        rejected.sort(key=lambda one: one.row)
        return Answers(answered.header, lines, rejected, answered.requests, answered.tries)

    def _body(self, rows: list[Row]) -> bytes:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(rows)
        return file.getvalue().encode()


def refusal(url: str, reply: Reply) -> DeployFailed:
    """Create the error for an answer that contains neither predictions nor problems of rows."""
    said = reply.problem.get("detail") or reply.problem.get("message") or reply.problem.get("title") or ""
    steps = {
        401: "this endpoint needs authorization: choose --auth, see `flyweight call --help`",
        403: "this caller may not invoke the endpoint: request the permission, or choose another --auth",
        404: "check the URL: it must be the endpoint's root, without /predict",
        429: "the endpoint is throttled: lower --concurrency, or raise the deployment's limit",
    }
    tried = f" after {reply.tries} tries" if reply.tries > 1 else ""
    return DeployFailed(f"{url} answered {reply.status}{tried}: {said}", steps.get(reply.status, "see its log: `flyweight logs`"))


def _named(reply: Reply, count: int) -> list[int]:
    """List the rows that a problem document names."""
    errors = reply.problem.get("errors")
    listed = [error.get("instance") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return sorted({number for number in listed if isinstance(number, int) and 0 <= number < count})


def _of_row(problem: dict[str, Any], number: int) -> dict[str, Any]:
    """Reduce a problem document to the errors of one row, which becomes its row 0."""
    errors = [{**error, "instance": 0} for error in problem.get("errors", []) if error.get("instance") == number]
    detail = "; ".join(f"{e.get('feature', 'the row')}: expected {e.get('expected')}, got {e.get('actual')}" for e in errors)
    return {**problem, "errors": errors, "detail": detail}

"""Rows of a table to an endpoint in batches, several at once; answers come out in the rows' order, or the reason why not."""

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

REFUSED = frozenset((400, 413, 422))  # of rows, and not of the caller: fewer rows may be taken
Row = Sequence[str]


@dataclass(frozen=True)
class Rejected:
    """A row that the endpoint does not take; `row` counts from 0, as `flyweight predict` does."""

    row: int
    values: Row
    problem: dict[str, Any]


@dataclass
class Answers:
    """What a batch was answered with.

    `lines`: one a row, None where it was rejected; `header`: of the lines, empty if all were rejected.
    """

    header: list[str] = field(default_factory=list)
    lines: list[list[str] | None] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    requests: int = 0
    tries: int = 0

    def __add__(self, other: Answers) -> Answers:
        """These rows, then those."""
        return Answers(
            self.header or other.header, self.lines + other.lines, self.rejected + other.rejected,
            self.requests + other.requests, self.tries + other.tries,
        )  # fmt: skip


class Caller:
    """Sends batches of rows under one header; `outputs` asks for some of the model's outputs."""

    def __init__(self, endpoint: Endpoint, columns: Sequence[str], path: str = "/predict") -> None:
        self.endpoint, self.columns, self.path = endpoint, list(columns), path

    def answers(self, rows: Iterable[Row], batch: int, threads: int) -> Iterator[Answers]:
        """Each batch's answers, in order; at most twice as many batches are read ahead as are under way.

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
        """Answers of some rows; of a batch that is refused, of its sound rows, and the reasons of the others.

        :raises DeployFailed: the endpoint refuses the caller, or answers with another number of rows.
        """
        reply = self.endpoint.ask("POST", self.path, self._body(rows), content_type="text/csv", accept="text/csv")
        if reply.status == 200:
            header, *lines = csv.reader(io.StringIO(reply.body.decode(), newline=""))
            if len(lines) != len(rows):
                raise DeployFailed(f"{len(rows)} rows were answered with {len(lines)}", "is this an endpoint of flyweight's?")
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
        """The rows that a refusal names are rejected, the others are asked for anew."""
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
    """What an answer means that is neither predictions nor about rows."""
    said = reply.problem.get("detail") or reply.problem.get("message") or reply.problem.get("title") or ""
    steps = {
        401: "this endpoint asks who you are: choose --auth, see `flyweight call --help`",
        403: "you are known, and may not: ask for the right to invoke it, or choose another --auth",
        404: "check the address: it should be the endpoint's root, without /predict",
        429: "it is throttled: fewer --concurrency, or a higher limit of the deployment",
    }
    tried = f" after {reply.tries} tries" if reply.tries > 1 else ""
    return DeployFailed(f"{url} answered {reply.status}{tried}: {said}", steps.get(reply.status, "see its log: `flyweight logs`"))


def _named(reply: Reply, count: int) -> list[int]:
    """The rows that a problem document names."""
    errors = reply.problem.get("errors")
    listed = [error.get("instance") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return sorted({number for number in listed if isinstance(number, int) and 0 <= number < count})


def _of_row(problem: dict[str, Any], number: int) -> dict[str, Any]:
    """A problem document with the errors of one row only, which is the first of its own."""
    errors = [{**error, "instance": 0} for error in problem.get("errors", []) if error.get("instance") == number]
    detail = "; ".join(f"{e.get('feature', 'the row')}: expected {e.get('expected')}, got {e.get('actual')}" for e in errors)
    return {**problem, "errors": errors, "detail": detail}

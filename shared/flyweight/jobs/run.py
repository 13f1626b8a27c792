"""Run a job: several processes score files and pieces of files, and this one joins the pieces in their order.

A file's answers appear whole, under their own name. Pieces that are done lie in a folder of the answers' store until their file
is done, so that a job which was killed goes on with the next piece. Two processes never write one object.
"""

import os
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from queue import Queue

from flyweight.errors import FlyweightError
from flyweight.jobs.inputs import BINARY, form_of
from flyweight.jobs.scoring import CUT, DONE, FAILED, KEPT, PART, FileScorer, Job, Result
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from flyweight.jobs.inputs import Input

AHEAD = 2  # tasks that wait for each process

_scorer: "FileScorer | None" = None  # of this process


class WorkerLost(FlyweightError):
    """A process of the job was killed, mostly for want of memory."""


class Progress(Value):
    """What a job has done so far."""

    files: int  # that are done, those of earlier runs too
    of: int
    rows: int
    faults: int
    kept: int = 0  # files that an earlier run has done
    errors: "tuple[str, ...]" = ()  # of files that can't be scored


def run(job: Job, inputs: "Sequence[Input]", workers: int, advance: "Callable[[Progress], None]" = lambda now: None) -> Progress:
    """Score files; those that fail are reported, and the others go on.

    :param workers: how many processes score; 1 scores in this one.
    :param advance: called after each file and each piece.
    :raises FlyweightError: the model or the output can't be opened.
    :raises WorkerLost: a process was killed; a job with the same options goes on where this one stopped.
    """
    scorer = FileScorer(job)
    if workers == 1:
        return _Run(scorer, inputs, _Here(scorer), 1, advance).finish()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (job,))
    try:
        for _ in range(_useful(scorer, inputs, workers)):
            pool.submit(_ready)  # else the others start when the first has cut a file
        return _Run(scorer, inputs, pool, workers, advance).finish()
    except BrokenProcessPool:
        step = "run the same command again: it goes on there; with fewer --workers each has more memory"
        raise WorkerLost(f"a process of the job ended before its work did, mostly for want of memory: {step}") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _useful(scorer: FileScorer, inputs: "Sequence[Input]", workers: int) -> int:
    """Count the processes that find work at once."""
    return workers if len(inputs) >= workers else min(workers, sum(map(scorer.pieces, inputs)))


class _Here:
    """Runs tasks in this process, as a pool of one would."""

    def __init__(self, scorer: FileScorer) -> None:
        global _scorer
        _scorer = scorer

    def submit(self, task: "Callable[..., Result]", *arguments: "Any") -> "Future[Result]":
        """Run a task."""
        future: Future[Result] = Future()
        future.set_result(task(*arguments))
        return future


class _Cut:
    """A file in pieces, and the parts that are there in their order."""

    def __init__(self, one: "Input", result: Result) -> None:
        assert result.meta is not None
        self.one, self.meta, self.pieces = one, result.meta, result.pieces
        whole = form_of(one.name)[0] in BINARY
        self.exact = {*range(len(self.pieces))} if whole else {0}  # pieces that begin where a row does
        self.found: dict[int, Result] = {}  # by the number of the piece
        self.passed = 0  # pieces whose parts are handed on
        self.next = 0  # where the following part has to begin
        self.rows = self.faults = 0
        self.parts: Queue[str | Exception | None] = Queue()
        self.writing: Future[Any] | None = None


class _Run:
    """One run of a job."""

    def __init__(
        self, scorer: FileScorer, inputs: "Sequence[Input]", pool: "Any", workers: int, advance: "Callable[[Progress], None]"
    ) -> None:
        self._scorer, self._pool, self._advance = scorer, pool, advance
        self._most = AHEAD * workers
        self._files = deque(inputs)
        self._pieces: deque[tuple[_Cut, int, int, int, bool]] = deque()
        self._running: dict[Future[Result], tuple[Any, ...]] = {}
        self._writers = ThreadPoolExecutor(1)  # one file at a time is joined
        self._writing: dict[Future[Result], _Cut] = {}
        self._now = Progress(0, len(inputs), 0, 0)

    def finish(self) -> Progress:
        """Do all the work."""
        try:
            while self._files or self._pieces or self._running or self._writing:
                self._submit()
                done, _ = wait([*self._running, *self._writing], return_when=FIRST_COMPLETED)
                for future in done:
                    self._settle(future)
        finally:
            for cut in self._writing.values():
                cut.parts.put(FlyweightError("the job was stopped"))
            self._writers.shutdown(cancel_futures=True)
        return self._now

    def _submit(self) -> None:
        """Give the processes work; pieces first, so that few files are begun at a time."""
        while len(self._running) < self._most and (self._pieces or self._files):
            if self._pieces:
                cut, number, begin, end, exact = self._pieces.popleft()
                future = self._pool.submit(_piece, cut.one, cut.meta, begin, end, exact)
                self._running[future] = cut, number
            else:
                one = self._files.popleft()
                self._running[self._pool.submit(_begin, one)] = (one,)

    def _settle(self, future: "Future[Result]") -> None:
        """Take the result of a task."""
        if future in self._writing:
            self._joined(self._writing.pop(future), future)
            return
        task, result = self._running.pop(future), future.result()
        if len(task) == 2:
            self._place(*task, result)
        elif result.state == CUT:
            self._cut(task[0], result)
        else:
            self._count(result)

    def _count(self, result: Result) -> None:
        """Count a file."""
        now = self._now
        if result.state == FAILED:
            self._now = now._replace(errors=(*now.errors, result.error))
        else:
            rows, faults, kept = now.rows + result.rows, now.faults + result.faults, now.kept + (result.state == KEPT)
            self._now = now._replace(files=now.files + 1, rows=rows, faults=faults, kept=kept)
        self._tell()

    def _cut(self, one: "Input", result: Result) -> None:
        """Begin a file in pieces; the parts of an earlier run count."""
        cut = _Cut(one, result)
        try:
            earlier = _earlier_parts(self._scorer, cut)
        except FlyweightError as error:
            self._count(Result(FAILED, result.meta, error=f"{one.address}: {error}"))
            return
        cut.writing = self._writers.submit(_write, self._scorer, cut)
        self._writing[cut.writing] = cut
        for number, (begin, end) in enumerate(cut.pieces):
            if found := earlier.get((begin, end)):
                cut.found[number] = found
            else:
                self._pieces.append((cut, number, begin, end, number in cut.exact))
        self._pass_on(cut)

    def _place(self, cut: _Cut, number: int, result: Result) -> None:
        """Take the result of a piece."""
        cut.found[number] = result
        self._pass_on(cut)

    def _pass_on(self, cut: _Cut) -> None:
        """Hand parts on in their order; one that began inside of a row is scored again, from where the row before it ends."""
        while (result := cut.found.get(cut.passed)) is not None:
            number = cut.passed
            if result.begin != cut.next and number not in cut.exact:
                del cut.found[number]
                cut.exact.add(number)
                self._pieces.appendleft((cut, number, cut.next, cut.pieces[number][1], True))
                return
            if result.state == FAILED:
                self._give_up(cut, FlyweightError(result.error))
                return
            cut.next, cut.passed = result.next, number + 1
            cut.rows, cut.faults = cut.rows + result.rows, cut.faults + result.faults
            cut.parts.put(result.key)
            self._tell()
        if cut.passed == len(cut.pieces):
            cut.passed += 1
            cut.parts.put(None)

    def _give_up(self, cut: _Cut, error: Exception) -> None:
        """End a file whose piece has failed."""
        self._pieces = deque([piece for piece in self._pieces if piece[0] is not cut])
        cut.found, cut.passed = {}, -1
        cut.parts.put(error)

    def _joined(self, cut: _Cut, future: "Future[Result]") -> None:
        """Take the end of a file in pieces."""
        cut.rows = cut.faults = 0
        self._count(future.result())
        self._give_up(cut, FlyweightError("the file has ended"))  # its store may have failed before its pieces

    def _tell(self) -> None:
        """Report what is done, with the pieces of files that are not."""
        now, cuts = self._now, self._writing.values()
        rows, faults = sum([cut.rows for cut in cuts]), sum([cut.faults for cut in cuts])
        self._advance(now._replace(rows=now.rows + rows, faults=now.faults + faults))


def _write(scorer: FileScorer, cut: _Cut) -> Result:
    """Join the parts of a file as they come, mark it as done, and delete them."""

    def keys() -> "Iterator[str]":
        while (key := cut.parts.get()) is not None:
            if isinstance(key, Exception):
                raise key
            yield key

    try:
        scorer.target.put_stream(cut.one.name, scorer.joined(cut.one, cut.meta, keys()))
        result = scorer.finish(cut.one, Result(DONE, cut.meta, cut.rows, cut.faults))
        for key in scorer.target.keys(scorer.parts(cut.one, cut.meta)):
            scorer.target.delete(key)
        return result
    except FlyweightError as error:
        address = cut.one.address
        return Result(FAILED, cut.meta, error=str(error) if str(error).startswith(address) else f"{address}: {error}")


def _earlier_parts(scorer: FileScorer, cut: _Cut) -> "dict[tuple[int, int], Result]":
    """Find the parts of a file that an earlier run wrote, by the piece; their names say what they have."""
    found = {}
    folder = scorer.parts(cut.one, cut.meta)
    for key in scorer.target.keys(folder):
        begin, end, first, following, rows, faults = map(int, key.rpartition("/")[2].split("-"))
        found[begin, end] = Result(PART, cut.meta, rows, faults, first, following, key=key)
    return found


def _start(job: Job) -> None:
    """Begin a process of the pool: it ends with the process that started it, even if that one is killed."""
    global _scorer
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the others
    _scorer = FileScorer(job)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _ready() -> None:
    assert _scorer is not None
    _scorer.ready()


def _begin(one: "Input") -> Result:
    assert _scorer is not None
    return _scorer.begin(one)


def _piece(one: "Input", meta: "Any", begin: int, end: int, exact: bool) -> Result:
    assert _scorer is not None
    return _scorer.piece(one, meta, begin, end, exact)

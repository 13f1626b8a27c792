"""Score a file in a store: it is read as a stream, scored in batches, and its answers are written whole or not at all, once.

For the version TAG of the file KEY these objects are written:

- `PREFIX/KEY.TAG.jsonl` (or .csv): the answers; if this object exists, the file is done;
- `PREFIX/KEY.TAG.rejected.jsonl`: the rejected rows, if there are any;
- `PREFIX/KEY.TAG.progress.json`: the checkpoint; in the end it says what was done by which model;
- `PREFIX/KEY.TAG.parts/`: the answers so far; deleted in the end.
"""

# imports late: numpy

import os
from math import inf
from time import monotonic

from flyweight.errors import INPUT_ERRORS, FlyweightError, ObjectNotFound, PreconditionFailed, StoreFailed, TooLarge
from flyweight.files.checkpoint import Checkpoint, Deadline, OutOfTime, Part, output_keys
from flyweight.files.csv_numbers import load_reader
from flyweight.files.reader import File, format_of
from flyweight.files.results import score_batch
from flyweight.stores import stream
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.stores import ObjectMeta, Store

BATCH_ROWS = 4096  # a batch ends after this many rows
BATCH_BYTES = 2 << 20  # or this many bytes
PART_BYTES = 8 << 20  # a part is written when it has this many bytes, and at the deadline
MAX_CALLS = 1000  # for one file
MAX_IDLE_CALLS = 5  # in a row, each without any progress


class FileResult(Value):
    """The state of a file after a call: done, or to be continued by the next call."""

    done: bool
    output: str  # the key of the answers
    rejects: str  # the key of the rejected rows; "" without any
    rows: int  # answered so far
    rejected: int  # rejected so far


def score_object(
    predictor: "Predictor",
    source: "Store",
    key: str,
    target: "Store",
    prefix: str = "",
    deadline: float = inf,
    file_format: str = "jsonl",
    now: "Callable[[], float]" = monotonic,
) -> FileResult:
    """Score the file `key` of a store, and write its answers below a prefix of the same store or another.

    The call stops before the deadline, and the next call continues there; the bytes that are written do not depend on the
    number of calls. A file that is done stays as it is. A file that another model began is begun again.

    :param deadline: in seconds, on the clock `now`.
    :param file_format: of the answers, "jsonl" or "csv".
    :raises MalformedRequest: the file is not what its name says.
    :raises InvalidInput: its columns are not the model's features.
    :raises UnsupportedMediaType: its format is not supported.
    :raises TooLarge: it is not done after `MAX_CALLS` calls, or makes no progress; one more call would continue it.
    :raises PreconditionFailed: another call scores the same file and continues it, or the file was replaced.
    :raises StoreFailed: a store failed; ObjectNotFound if the file does not exist.
    """
    meta = source.head(key)
    settle_engine(meta.size)
    return _FileScoring(predictor, source, key, meta, target, prefix, file_format, Deadline(deadline, now)).run()


def settle_engine(size: int) -> None:
    """Import NumPy first, if installed, so that one engine scores the whole file and the last digits never change.

    :param size: the file's, in bytes.
    """
    try:
        import numpy  # noqa: F401
    except ImportError:
        return
    load_reader(size)


class _FileScoring:
    """The work of one call on one file."""

    def __init__(
        self,
        predictor: "Predictor",
        source: "Store",
        key: str,
        meta: "ObjectMeta",
        target: "Store",
        prefix: str,
        file_format: str,
        deadline: Deadline,
    ) -> None:
        """Read the checkpoint.

        :raises UnsupportedMediaType: the file's format is not supported.
        """
        format_of(key)
        self._predictor, self._file = predictor, File(source, key, meta, deadline.check)
        self._target, self._file_format, self._deadline = target, file_format, deadline
        self._keys = output_keys(prefix, key, meta.tag, file_format)
        self._checkpoint = Checkpoint(target, self._keys.checkpoint)
        self._counted = False  # whether this call is counted in the checkpoint
        self._advanced = False  # whether this call wrote a part

    def run(self) -> FileResult:
        """Score the file as far as the time allows."""
        try:
            if not self._is_done():
                self._begin()
                if self._state["state"] == "scoring":
                    self._score()
                self._join()
            self._clear()
        except OutOfTime:
            self._stop()
            return self._result(False)
        except INPUT_ERRORS as error:
            if not isinstance(error, TooLarge):
                self._forget()
            raise
        return self._result(True)

    @property
    def _state(self) -> "dict[str, Any]":
        return self._checkpoint.state

    def _is_done(self) -> bool:
        """Tell whether the answers exist."""
        try:
            self._target.head(self._keys.output)
            return True
        except ObjectNotFound:
            return False

    def _begin(self) -> None:
        """Continue from the checkpoint, or begin the file if there is no checkpoint of this model, format and batch size."""
        predictor = self._predictor
        model = {"name": predictor.name, "version": predictor.version, "sha256": predictor.file.sha256}
        rows = min(BATCH_ROWS, predictor.validator.limits.max_instances)
        conditions = {"model": model, "form": self._file_format, "batch": [rows, BATCH_BYTES]}
        state = self._state
        if state.get("state") in ("scoring", "joining") and all(state.get(name) == value for name, value in conditions.items()):
            return
        obsolete = self._parts()
        source = {"key": self._file.key, "tag": self._file.meta.tag, "bytes": self._file.meta.size}
        counts = {"position": {}, "rows": 0, "rejected": 0, "parts": [], "rejects": [], "invocations": 0, "idle": 0}
        self._checkpoint.save(**conditions, source=source, **counts, state="scoring")
        self._counted = False
        self._delete(obsolete)

    def _score(self) -> None:
        """Score the rest of the file, part by part.

        :raises OutOfTime: the deadline is near; what is scored is written.
        """
        predictor, state = self._predictor, self._state
        part = Part(state)
        try:
            for batch in self._file.batches(predictor.validator, state["position"], *state["batch"]):
                part.add(batch.after, *score_batch(predictor, batch, self._file_format, part.rows == 0))
                if part.size >= PART_BYTES:
                    self._write(part)
                    part = Part(self._state)
                self._deadline.check()
        except OutOfTime:
            if part.position != self._state["position"]:
                self._write(part)
            raise
        self._write(part, "joining")

    def _write(self, part: Part, state: str = "scoring") -> None:
        """Write a part, then the checkpoint that lists it; a part that no checkpoint lists does not count.

        :param state: of the file after this part.
        :raises PreconditionFailed: another call has written the checkpoint meanwhile.
        """
        number = f"{len(self._state['parts']) + 1:06}-{os.urandom(4).hex()}"
        written: dict[str, list[str]] = {"parts": [], "rejects": []}
        for kind, end, pieces in (("parts", "", part.answers), ("rejects", ".rejected", part.rejects)):
            if any(pieces):
                self._target.put_stream(f"{self._keys.parts}/{number}{end}", pieces)
                written[kind] = [f"{number}{end}"]
        lists = {kind: [*self._state[kind], *names] for kind, names in written.items()}
        counts = {"position": part.position, "rows": part.rows, "rejected": part.rejected, "idle": 0}
        try:
            self._checkpoint.save(**lists, **counts, state=state, invocations=self._count_call())
        except PreconditionFailed:
            self._delete([name for names in written.values() for name in names])
            raise
        self._advanced = True

    def _join(self) -> None:
        """Write the rejected rows, then the answers."""
        if self._state["rejects"]:
            self._target.put_stream(self._keys.rejects, self._joined("rejects"))
        if not self._is_done():  # another call may have finished the file, and deleted the parts
            self._target.put_stream(self._keys.output, self._joined("parts"))

    def _joined(self, kind: str) -> "Iterator[bytes]":
        """Read the parts, or the rejected rows, one after another."""
        for name in self._state[kind]:
            self._deadline.check()
            key = f"{self._keys.parts}/{name}"
            meta = self._target.head(key)
            yield from stream(self._target, key, meta)

    def _clear(self) -> None:
        """Delete all parts, also those that no checkpoint lists, and mark the file as done."""
        if not self._state or self._state["state"] == "done":
            return
        for key in self._target.keys(self._keys.parts):
            self._deadline.check()
            self._target.delete(key)
        self._checkpoint.save(state="done", parts=[], rejects=[], position={}, invocations=self._count_call())

    def _stop(self) -> None:
        """Leave the rest of the file to the next call.

        :raises TooLarge: too many calls made no progress, or the file took too many calls.
        """
        state = self._state
        idle = 0 if self._advanced else state["idle"] + 1
        calls = self._count_call()
        if idle < MAX_IDLE_CALLS and calls < MAX_CALLS:
            if not self._advanced:
                self._checkpoint.save(idle=idle, invocations=calls)
            return
        self._checkpoint.save(idle=0, invocations=0)
        reason = f"{idle} calls in a row made no progress" if idle >= MAX_IDLE_CALLS else f"it is not done after {calls} calls"
        raise TooLarge(f"{self._file.key[-200:]} is too large for the time of a call: {reason}")

    def _count_call(self) -> int:
        """Count this call once; get the number of calls that the file took so far."""
        count: int = self._state["invocations"] + (not self._counted)
        self._counted = True
        return count

    def _forget(self) -> None:
        """Delete what was written for a file that can't be scored."""
        self._delete(self._parts())
        try:
            self._target.delete(self._keys.checkpoint)
        except StoreFailed:
            pass

    def _parts(self) -> "list[str]":
        """List the names of the parts in the checkpoint."""
        return [*self._state.get("parts", []), *self._state.get("rejects", [])]

    def _delete(self, parts: "list[str]") -> None:
        """Delete obsolete parts. What fails here is deleted by `_clear`; until then it does no harm."""
        for name in parts:
            try:
                self._target.delete(f"{self._keys.parts}/{name}")
            except FlyweightError:
                pass

    def _result(self, done: bool) -> FileResult:
        state = self._state
        rejected = state.get("rejected", 0)
        return FileResult(done, self._keys.output, self._keys.rejects if rejected else "", state.get("rows", 0), rejected)

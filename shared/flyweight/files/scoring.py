"""A file in a store to a file of answers: read as a stream, scored batch by batch, written whole or not at all, once.

For `KEY` of the version TAG: `PREFIX/KEY.TAG.jsonl` (or .csv) are the answers, and its being there says that the file is done;
`PREFIX/KEY.TAG.rejected.jsonl` the rows that are rejected, if any is; `PREFIX/KEY.TAG.progress.json` how far it is, and in the
end what was done by which model. While it lasts `PREFIX/KEY.TAG.parts/` has the answers so far.
"""

# imports late: numpy

import os
from math import inf
from time import monotonic

from flyweight.errors import INPUT_ERRORS, FlyweightError, ObjectNotFound, PreconditionFailed, StoreFailed, TooLarge
from flyweight.files.checkpoint import Checkpoint, Part, Stopped, Time, names
from flyweight.files.csv_numbers import load_reader
from flyweight.files.reader import File, form_of
from flyweight.files.results import score_batch
from flyweight.stores import stream
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.stores import ObjectMeta, Store

ROWS = 4096  # a batch ends after so many rows
BYTES = 2 << 20  # or so many bytes of them
PART = 8 << 20  # answers are written when they are so many bytes, and when the time is over
MOST = 1000  # invocations that one file may take
IDLE = 5  # of them one after the other that get no further


@frozen
class Scored(Value):
    """What became of a file: `done`, or to be gone on with by the next call."""

    done: bool
    output: str  # the key of the answers
    rejects: str  # the key of the rows that are rejected; "" where none is
    rows: int  # answered so far
    rejected: int  # rejected so far


def score_object(
    predictor: "Predictor",
    source: "Store",
    key: str,
    target: "Store",
    prefix: str = "",
    deadline: float = inf,
    form: str = "jsonl",
    now: "Callable[[], float]" = monotonic,
) -> Scored:
    """Score the object `key` of a store, and write what it comes to below a prefix of another, or of the same.

    It stops before `deadline`, on the clock `now`, and the next call goes on where it stopped; the bytes that come out are the
    same however often that was. A file that is done stays as it is. A file that another model began is begun again.

    :param form: "jsonl" or "csv".
    :raises MalformedRequest, InvalidInput, UnsupportedMediaType: the file as a whole is none that the model takes.
    :raises TooLarge: it is not done after `MOST` calls, or gets no further; one more call goes on.
    :raises PreconditionFailed: another call scores the same file, and goes on with it; or the file was replaced.
    :raises StoreFailed: ObjectNotFound where there is no such object.
    """
    mark = source.head(key)
    _settle_engine(mark.size)
    return _Run(predictor, source, key, mark, target, prefix, form, Time(deadline, now)).outcome()


def _settle_engine(size: int) -> None:
    """Load NumPy where it is: else a model goes over to it when that seems worth while, and its last digits are others."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return
    load_reader(size)


class _Run:
    """One call's work on one file."""

    def __init__(
        self,
        predictor: "Predictor",
        source: "Store",
        key: str,
        mark: "ObjectMeta",
        target: "Store",
        prefix: str,
        form: str,
        time: Time,
    ) -> None:
        form_of(key)
        self._predictor, self._file = predictor, File(source, key, mark, time.check)
        self._target, self._form, self._time = target, form, time
        self._names = names(prefix, key, mark.tag, form)
        self._checkpoint = Checkpoint(target, self._names.checkpoint)
        self._counted = False  # whether this call is among the invocations
        self._moved = False  # whether it got further

    def outcome(self) -> Scored:
        """What became of it in this call."""
        try:
            if not self._is_there():
                self._begin()
                if self._state["state"] == "scoring":
                    self._score()
                self._join()
            self._clear()
        except Stopped:
            self._stop()
            return self._told(False)
        except INPUT_ERRORS as error:
            if not isinstance(error, TooLarge):
                self._forget()
            raise
        return self._told(True)

    @property
    def _state(self) -> "dict[str, Any]":
        return self._checkpoint.state

    def _is_there(self) -> bool:
        try:
            self._target.head(self._names.output)
            return True
        except ObjectNotFound:
            return False

    def _begin(self) -> None:
        """Go on with what a checkpoint says, or start where there is none that fits."""
        predictor = self._predictor
        model = {"name": predictor.name, "version": predictor.version, "sha256": predictor.file.sha256}
        rows = min(ROWS, predictor.validator.limits.max_instances)
        same = {"model": model, "form": self._form, "batch": [rows, BYTES]}
        state = self._state
        if state.get("state") in ("scoring", "joining") and all(state.get(name) == value for name, value in same.items()):
            return
        left = self._parts()
        source = {"key": self._file.key, "tag": self._file.mark.tag, "bytes": self._file.mark.size}
        counts = {"position": {}, "rows": 0, "rejected": 0, "parts": [], "rejects": [], "invocations": 0, "idle": 0}
        self._checkpoint.save(**same, source=source, **counts, state="scoring")
        self._counted = False
        self._delete(left)

    def _score(self) -> None:
        """Answer the rest of the file, part by part."""
        predictor, state = self._predictor, self._state
        part = Part(state)
        try:
            for batch in self._file.batches(predictor.signature.features, state["position"], *state["batch"]):
                part.add(batch.after, *score_batch(predictor, batch, self._form, part.rows == 0))
                if part.size >= PART:
                    self._keep(part)
                    part = Part(self._state)
                self._time.check()
        except Stopped:
            if part.position != self._state["position"]:
                self._keep(part)
            raise
        self._keep(part, "joining")

    def _keep(self, part: Part, state: str = "scoring") -> None:
        """Write a part, then the checkpoint that has it: a part that none has is as good as not written."""
        number = f"{len(self._state['parts']) + 1:06}-{os.urandom(4).hex()}"
        written: dict[str, list[str]] = {"parts": [], "rejects": []}
        for kind, end, pieces in (("parts", "", part.answers), ("rejects", ".rejected", part.rejects)):
            if any(pieces):
                self._target.put_stream(f"{self._names.parts}/{number}{end}", pieces)
                written[kind] = [f"{number}{end}"]
        lists = {kind: [*self._state[kind], *new] for kind, new in written.items()}
        counts = {"position": part.position, "rows": part.rows, "rejected": part.rejected, "idle": 0}
        try:
            self._checkpoint.save(**lists, **counts, state=state, invocations=self._invocations())
        except PreconditionFailed:
            self._delete([name for new in written.values() for name in new])
            raise
        self._moved = True

    def _join(self) -> None:
        """Make the answers appear, after the rows that are rejected."""
        if self._state["rejects"]:
            self._target.put_stream(self._names.rejects, self._joined("rejects"))
        if not self._is_there():  # another call may have been faster, and may have taken the parts away
            self._target.put_stream(self._names.output, self._joined("parts"))

    def _joined(self, kind: str) -> "Iterator[bytes]":
        for name in self._state[kind]:
            self._time.check()
            part = f"{self._names.parts}/{name}"
            mark = self._target.head(part)
            yield from stream(self._target, part, mark)

    def _clear(self) -> None:
        """Take the parts away, those as well that no checkpoint has, and say that all is done."""
        if not self._state or self._state["state"] == "done":
            return
        for key in self._target.keys(self._names.parts):
            self._time.check()
            self._target.delete(key)
        self._checkpoint.save(state="done", parts=[], rejects=[], position={}, invocations=self._invocations())

    def _stop(self) -> None:
        """Leave the rest to the next call, if there is hope that it gets further."""
        state = self._state
        idle = 0 if self._moved else state["idle"] + 1
        invocations = self._invocations()
        if idle < IDLE and invocations < MOST:
            if not self._moved:
                self._checkpoint.save(idle=idle, invocations=invocations)
            return
        self._checkpoint.save(idle=0, invocations=0)
        why = f"{idle} calls one after the other got no further" if idle >= IDLE else f"it is not done after {invocations} calls"
        raise TooLarge(f"{self._file.key[-200:]} is too large for the time that a call has: {why}")

    def _invocations(self) -> int:
        count: int = self._state["invocations"] + (not self._counted)
        self._counted = True
        return count

    def _forget(self) -> None:
        """Take away what was written of a file that is none."""
        self._delete(self._parts())
        try:
            self._target.delete(self._names.checkpoint)
        except StoreFailed:
            pass

    def _parts(self) -> "list[str]":
        return [*self._state.get("parts", []), *self._state.get("rejects", [])]

    def _delete(self, parts: "list[str]") -> None:
        """Parts that nobody needs; one that can't be taken away now goes in the end, or stays in the way of nobody."""
        for name in parts:
            try:
                self._target.delete(f"{self._names.parts}/{name}")
            except FlyweightError:
                pass

    def _told(self, done: bool) -> Scored:
        state = self._state
        rejected = state.get("rejected", 0)
        return Scored(done, self._names.output, self._names.rejects if rejected else "", state.get("rows", 0), rejected)

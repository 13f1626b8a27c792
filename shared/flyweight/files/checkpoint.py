"""The state of a file that is scored in several calls: the keys written for it, its deadline, its next part, its checkpoint."""

import json
import os
import re

from flyweight import strict_json
from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.stores import Store

MARGIN = 2.0  # seconds before the deadline that are kept for the last part and the checkpoint
MAX_CHECKPOINT = 64 << 20  # bytes
TAG = re.compile(r"[0-9A-Za-z-]{1,64}")
OUTPUT = re.compile(
    r".*\.(csv|jsonl|ndjson|parquet)(\.gz|\.zst)?\.[0-9A-Za-z-]{1,64}\.((rejected\.)?jsonl|csv|progress\.json|parts/.*)",
    re.IGNORECASE | re.DOTALL,
)


class OutputKeys(Value):
    """The keys of the objects that are written for one version of one file."""

    output: str
    rejects: str
    checkpoint: str
    parts: str  # a folder


def output_keys(prefix: str, key: str, tag: str, file_format: str) -> OutputKeys:
    """Make the keys of the objects that are written for a file.

    :param prefix: the folder that they are in; "" is the root.
    :param key: the file.
    :param tag: its version; a tag that does not fit into a key is replaced by its digest.
    :param file_format: of the answers, "jsonl" or "csv".
    """
    tag = tag.strip('"')
    if not TAG.fullmatch(tag):
        from hashlib import sha256

        tag = sha256(tag.encode()).hexdigest()[:32]
    stem = f"{prefix}/{key}.{tag}" if prefix else f"{key}.{tag}"
    return OutputKeys(f"{stem}.{file_format}", f"{stem}.rejected.jsonl", f"{stem}.progress.json", f"{stem}.parts")


def is_output(key: str) -> bool:
    """Tell whether a key is one of those written for a file; such an object is never scored itself."""
    return OUTPUT.fullmatch(key) is not None


class OutOfTime(Exception):
    """The deadline of this call is near; the next call goes on with the file."""


class Deadline:
    """The end of a call's time; work stops early enough for twice the longest step so far."""

    def __init__(self, end: float, now: "Callable[[], float]") -> None:
        """Start to measure steps.

        :param end: in seconds on the clock `now`.
        """
        self._end, self._now, self._last_check = end, now, now()
        self._margin = min(MARGIN, 0.2 * (end - self._last_check))
        self._longest_step = 0.0

    def check(self) -> None:
        """End a step of the work.

        :raises OutOfTime: another step might not end in time.
        """
        now = self._now()
        self._longest_step = max(self._longest_step, now - self._last_check)
        self._last_check = now
        if now + 2 * self._longest_step + self._margin > self._end:
            raise OutOfTime


class Part:
    """Answers and rejected rows that are not written yet, and the position in the file that follows them."""

    def __init__(self, state: "dict[str, Any]") -> None:
        """Begin an empty part.

        :param state: the checkpoint's, whose counts and position the part continues.
        """
        self.answers: list[bytes] = []
        self.rejects: list[bytes] = []
        self.rows, self.rejected, self.position = state["rows"], state["rejected"], state["position"]
        self.size = 0  # bytes

    def add(self, position: "dict[str, Any]", answers: bytes, rejects: bytes, rows: int, rejected: int) -> None:
        """Add the results of a batch.

        :param position: where the next batch begins.
        :param answers: the lines of the answers, and `rows` their number.
        :param rejects: the lines of the rejected rows, and `rejected` their number.
        """
        self.answers.append(answers)
        self.rejects.append(rejects)
        self.rows += rows
        self.rejected += rejected
        self.size += len(answers) + len(rejects)
        self.position = position


class Checkpoint:
    """A document in a store that is changed by compare-and-swap; `state` is {} until the first `save`."""

    def __init__(self, store: "Store", key: str) -> None:
        """Read the checkpoint.

        :raises StoreFailed: it can't be read, or the object is not a checkpoint.
        """
        self._store, self._key = store, key
        self._tag: str | None = None
        self.state: dict[str, Any] = {}
        try:
            data, meta = store.get(key, MAX_CHECKPOINT)
        except ObjectNotFound:
            return
        self._tag = meta.tag
        try:
            state = json.loads(data)
        except ValueError:
            raise StoreFailed(f"the checkpoint {key} is not JSON: something else wrote to this key") from None
        self.state = state if isinstance(state, dict) else {}

    def save(self, **changes: "Any") -> None:
        """Write the state with changes.

        :raises PreconditionFailed: another call has written the checkpoint since this one read it, and continues the file.
        """
        state = {**self.state, **changes, "writer": os.urandom(8).hex()}
        try:
            meta = self._store.put(self._key, strict_json.encode(state), self._tag)
        except PreconditionFailed:
            # if the answer to our request was lost and the request was sent again, the store holds what we wrote ourselves
            data, meta = self._store.get(self._key, MAX_CHECKPOINT)
            if json.loads(data) != state:
                raise
        self.state, self._tag = state, meta.tag

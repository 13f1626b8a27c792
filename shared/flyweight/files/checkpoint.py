"""How far a file is scored: names of what is written for it, its next part, and a checkpoint that one call at a time changes."""

import json
import os
import re

from flyweight import strict_json
from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.stores import Store

MARGIN = 2.0  # seconds before the deadline that are kept for the last part and the checkpoint
MAX_CHECKPOINT = 64 << 20
TAG = re.compile(r"[0-9A-Za-z-]{1,64}")
OURS = re.compile(
    r".*\.(csv|jsonl|ndjson|parquet)(\.gz|\.zst)?\.[0-9A-Za-z-]{1,64}\.((rejected\.)?jsonl|csv|progress\.json|parts/.*)",
    re.IGNORECASE | re.DOTALL,
)


@frozen
class Names(Value):
    """What is written for one version of one file."""

    output: str
    rejects: str
    checkpoint: str
    parts: str  # a folder


def names(prefix: str, key: str, tag: str, form: str) -> Names:
    """The names for the version `tag` of the file `key`, below a prefix; "" is the root."""
    tag = tag.strip('"')
    if not TAG.fullmatch(tag):
        from hashlib import sha256

        tag = sha256(tag.encode()).hexdigest()[:32]
    stem = f"{prefix}/{key}.{tag}" if prefix else f"{key}.{tag}"
    return Names(f"{stem}.{form}", f"{stem}.rejected.jsonl", f"{stem}.progress.json", f"{stem}.parts")


def is_ours(key: str) -> bool:
    """Whether a key is what is written for a file: it is never scored in its turn."""
    return OURS.fullmatch(key) is not None


class Stopped(Exception):
    """The time is over."""


class Time:
    """Tells when to stop: early enough for twice the longest step so far."""

    def __init__(self, deadline: float, now: "Callable[[], float]") -> None:
        self._deadline, self._now, self._last = deadline, now, now()
        self._margin = min(MARGIN, 0.2 * (deadline - self._last))
        self._longest = 0.0

    def check(self) -> None:
        """:raises Stopped: it is time to stop."""
        now = self._now()
        self._longest = max(self._longest, now - self._last)
        self._last = now
        if now + 2 * self._longest + self._margin > self._deadline:
            raise Stopped


class Part:
    """Answers that are not written yet, and where the file goes on behind them."""

    def __init__(self, state: "dict[str, Any]") -> None:
        self.answers: list[bytes] = []
        self.rejects: list[bytes] = []
        self.rows, self.rejected, self.position = state["rows"], state["rejected"], state["position"]
        self.size = 0

    def add(self, position: "dict[str, Any]", answers: bytes, rejects: bytes, rows: int, rejected: int) -> None:
        """Take the answers to a batch."""
        self.answers.append(answers)
        self.rejects.append(rejects)
        self.rows += rows
        self.rejected += rejected
        self.size += len(answers) + len(rejects)
        self.position = position


class Checkpoint:
    """A document in a store that is changed by compare-and-swap; `state` is {} where there is none."""

    def __init__(self, store: "Store", key: str) -> None:
        self._store, self._key = store, key
        self._tag: str | None = None
        self.state: dict[str, Any] = {}
        try:
            data, mark = store.get(key, MAX_CHECKPOINT)
        except ObjectNotFound:
            return
        self._tag = mark.tag
        try:
            state = json.loads(data)
        except ValueError:
            raise StoreFailed(f"{key} is not what was written there") from None
        self.state = state if isinstance(state, dict) else {}

    def save(self, **changes: "Any") -> None:
        """Write the state with changes.

        :raises PreconditionFailed: another invocation has written it since this one read it, and goes on in its place.
        """
        state = {**self.state, **changes, "writer": os.urandom(8).hex()}
        try:
            mark = self._store.put(self._key, strict_json.encode(state), self._tag)
        except PreconditionFailed:
            # an answer that was lost, and the request sent again: then it is our own writing that is there
            data, mark = self._store.get(self._key, MAX_CHECKPOINT)
            if json.loads(data) != state:
                raise
        self.state, self._tag = state, mark.tag

"""Loaded models in this process: one load a model however many threads race, the least recently used out, a good one kept.

A model that may change is checked again when its time to live is over, by one thread, while requests go on being answered by
the model that is here. What the check finds takes its place in one step; whatever goes wrong, the last good model stays.
"""

import os
from math import inf
from threading import Event, Lock, Thread
from time import monotonic

from flyweight.errors import FlyweightError, ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from flyweight.predictor import LoadedModel

    class Source(Protocol):
        """Where models come from."""

        def load(self, address: str, spent: dict[str, float]) -> LoadedModel:
            """The model at an address, for the first time; notes the seconds that each step took."""
            ...

        def refreshed(self, address: str, current: LoadedModel, spent: dict[str, float]) -> LoadedModel:
            """The model that is there by now: `current` itself where nothing has changed."""
            ...

        def forget(self) -> None:
            """Drop what a fork, or a snapshot, does not survive."""
            ...


RETRY_SECONDS = 5.0


class CacheEntry:
    """A model in the cache; all but the model changes."""

    __slots__ = ("checked", "due", "model", "trouble", "used")

    def __init__(self, model: "LoadedModel", now: float, ttl: float) -> None:
        self.model = model
        self.trouble = model.trouble  # why the last check came to nothing, if it did
        self.checked = now - model.age
        # a model that could only be had from the disk is asked for again soon
        self.due = inf if not model.may_change else now + min(ttl, RETRY_SECONDS) if model.trouble else self.checked + ttl
        self.used = now


class _Flight:
    """A load or a check on its way: others wait for it rather than start another."""

    __slots__ = ("done", "error", "kept")

    def __init__(self) -> None:
        self.done = Event()
        self.kept: CacheEntry | None = None
        self.error: FlyweightError | None = None


class ModelCache:
    """Models by address, of at most `budget` bytes together.

    `ttl`: seconds for which a check holds; `refresh_wait_seconds`: how long a request waits for the check that it starts, 0 where
    threads run on between requests; `log` takes log entries.
    """

    def __init__(
        self,
        source: "Source",
        *,
        budget: int = 1 << 62,
        ttl: float = 60.0,
        refresh_wait_seconds: float = 0.0,
        log: "Callable[[Mapping[str, Any]], None]" = lambda entry: None,
        clock: "Callable[[], float]" = monotonic,
    ) -> None:
        self._source, self._budget, self._ttl, self._wait = source, budget, ttl, refresh_wait_seconds
        self._log, self._clock = log, clock
        self._lock = Lock()
        self._kept: dict[str, CacheEntry] = {}
        self._flights: dict[str, _Flight] = {}
        self._failed: dict[str, tuple[FlyweightError, float]] = {}
        # what loading has cost this process so far, by step, in seconds; checks in the background are not counted
        self.spent: dict[str, float] = {}
        self.spent_seconds = 0.0  # the sum of it
        # A child shares the parent's models (they are only read) but must not inherit a lock or a connection.
        os.register_at_fork(after_in_child=self.renew)

    def get(self, address: str) -> CacheEntry:
        """The model at `address`, loaded if this is the first call for it.

        :raises FlyweightError: it can't be loaded; a failure is remembered for five seconds.
        """
        kept = self._kept.get(address)  # without the lock: a dict read is atomic, and this is every warm request
        if kept is None:
            return self._load(address)
        now = self._clock()
        kept.used = now
        return kept if now < kept.due else self._check(address, kept, now)

    def entries(self) -> "list[CacheEntry]":
        """All models that are loaded."""
        return [*self._kept.values()]

    def age(self, kept: CacheEntry) -> float:
        """Seconds since the store last said that this is the model."""
        return max(0.0, self._clock() - kept.checked)

    def expire(self) -> None:
        """Have every model that may change checked with its next request."""
        for kept in self.entries():
            kept.due = min(kept.due, self._clock()) if kept.model.may_change else inf

    def renew(self) -> None:
        """Start over with locks and connections, after a fork or a snapshot; models stay."""
        self._lock = Lock()
        self._flights = {}
        self._source.forget()

    def _load(self, address: str) -> CacheEntry:
        with self._lock:
            kept, flight = self._kept.get(address), self._flights.get(address)
            if kept is not None:
                return kept
            error, until = self._failed.get(address, (None, 0.0))
            if flight is None and error is not None and self._clock() < until:
                raise error
            leads = flight is None
            flight = flight or self._flights.setdefault(address, _Flight())
        if leads:
            self._lead(address, flight)
        flight.done.wait()
        if flight.kept is None:
            raise flight.error or ModelUnavailable("loading the model was cut off; ask again")
        return flight.kept

    def _lead(self, address: str, flight: _Flight) -> None:
        """Load for all who wait."""
        try:
            model = self._source.load(address, self.spent)
            flight.kept = self._keep(address, model)
        except OSError as cause:
            # the path and the system's words are for the log, the caller learns that there is no model
            flight.error = self._remember(address, ModelUnavailable(f"the model file can't be read: {cause.strerror}"))
            flight.error.__cause__ = cause
        except FlyweightError as error:
            flight.error = self._remember(address, error)
        finally:
            self.spent_seconds = sum(self.spent.values())
            self._land(address, flight)

    def _check(self, address: str, kept: CacheEntry, now: float) -> CacheEntry:
        """Start a check, and wait for it as long as a request may; the model that answers now."""
        with self._lock:
            if now < kept.due or address in self._flights:  # another thread was first
                return self._kept.get(address, kept)
            kept.due = now + max(self._ttl, RETRY_SECONDS)  # should the check never end
            flight = self._flights[address] = _Flight()
        try:
            Thread(target=self._refresh, args=(address, kept, flight), name="flyweight-check", daemon=True).start()
        except RuntimeError:  # no more threads, or the interpreter is about to end
            self._land(address, flight)
        else:
            flight.done.wait(self._wait)
        return self._kept.get(address, kept)

    def _refresh(self, address: str, kept: CacheEntry, flight: _Flight) -> None:
        began, spent = self._clock(), dict[str, float]()
        try:
            model = self._source.refreshed(address, kept.model, spent)
            if model is kept.model:
                kept.checked, kept.trouble, kept.due = began, "", began + self._ttl
            else:
                self._keep(address, model)
                former = f"{kept.model.predictor.name}/{kept.model.predictor.version}"
                steps = {f"{step}_ms": round(1000 * seconds, 3) for step, seconds in spent.items()}
                self._log(
                    {"level": "INFO", "message": "another model answers from now on", **_names(model), "former": former, **steps}
                )
        except Exception as error:
            kept.trouble = str(error) if isinstance(error, FlyweightError) else type(error).__name__
            kept.due = self._clock() + min(self._ttl, RETRY_SECONDS)
            self._log({"level": "WARNING", "message": f"the model was not checked: {kept.trouble}", **_names(kept.model)})
        finally:
            self._land(address, flight)

    def _keep(self, address: str, model: "LoadedModel") -> CacheEntry:
        """Put a model in its place, and others out for which there is no room; who answers by one of them goes on doing so."""
        kept = CacheEntry(model, self._clock(), self._ttl)
        with self._lock:
            self._failed.pop(address, None)
            self._kept[address] = kept
            total = sum([other.model.weight for other in self._kept.values()])
            for other in sorted(self._kept, key=lambda other: self._kept[other].used):
                if total <= self._budget:
                    break
                if other != address:
                    total -= self._kept.pop(other).model.weight
        return kept

    def _land(self, address: str, flight: _Flight) -> None:
        with self._lock:
            if self._flights.get(address) is flight:
                del self._flights[address]
        flight.done.set()

    def _remember(self, address: str, error: FlyweightError) -> FlyweightError:
        with self._lock:
            self._failed[address] = (error, self._clock() + RETRY_SECONDS)
        return error


def _names(model: "LoadedModel") -> "dict[str, str]":
    return {"model": model.predictor.name, "version": model.predictor.version}

"""Loaded models in this process.

Threads share one load of a model; the least recently used model is evicted; a failed refresh keeps the current model.

A model that may change is checked again when its time to live is over. One thread checks, while requests go on being answered by
the current model. The result of the check replaces it in one step.
"""

from _thread import allocate_lock
from math import inf
from time import monotonic

from flyweight.errors import FlyweightError, ModelUnavailable

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from flyweight.predictor import LoadedModel

    class Source(Protocol):
        """The interface of a source of models."""

        def load(self, address: str, spent: dict[str, float]) -> LoadedModel:
            """Load the model at an address.

            :param spent: the seconds that each step took are added to it.
            :raises FlyweightError: no model can be loaded.
            :raises OSError: a file can't be read.
            """
            ...

        def refresh(self, address: str, current: LoadedModel, spent: dict[str, float]) -> LoadedModel:
            """Load the model that the address names now; `current` itself if nothing has changed.

            :raises FlyweightError: `current` stays.
            """
            ...

        def forget(self) -> None:
            """Drop connections, which survive neither a fork nor a snapshot."""
            ...


RETRY_SECONDS = 5.0


class CacheEntry:
    """A model in the cache; its other fields change.

    `trouble`: why the last check failed, or ""; `checked`: when the store last confirmed the model; `due`: when the next check
    begins; `used`: when a request last got it. Times are by the cache's clock, in seconds.
    """

    __slots__ = ("checked", "due", "model", "trouble", "used")

    def __init__(self, model: "LoadedModel", now: float, ttl: float) -> None:
        self.model = model
        self.trouble = model.trouble
        self.checked = now - model.age
        # a model that could be loaded from the disk only is checked again soon
        self.due = inf if not model.may_change else now + min(ttl, RETRY_SECONDS) if model.trouble else self.checked + ttl
        self.used = now


class _Signal:
    """What threads wait for, once: `threading.Event` without an import that takes as long as loading a small model."""

    def __init__(self) -> None:
        self._closed = allocate_lock()
        self._closed.acquire()

    def set(self) -> None:
        """Wake the threads that wait, and let later ones pass; called once."""
        self._closed.release()

    def wait(self, seconds: float = -1) -> None:
        """Wait until it is set, at most these seconds if they are given."""
        if self._closed.acquire(timeout=seconds):
            self._closed.release()


class _Flight:
    """A load or check in progress, for which other threads wait instead of starting another."""

    __slots__ = ("done", "entry", "error")

    def __init__(self) -> None:
        self.done = _Signal()
        self.entry: CacheEntry | None = None
        self.error: FlyweightError | None = None


class ModelCache:
    """Models by address.

    `budget`: bytes of memory for all models together; `ttl`: seconds for which a check is valid; `refresh_wait_seconds`: how
    long a request waits for the check that it starts, 0 if threads go on between requests; `log` takes log entries.
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
        self._lock = allocate_lock()
        self._entries: dict[str, CacheEntry] = {}
        self._flights: dict[str, _Flight] = {}
        self._failures: dict[str, tuple[FlyweightError, float]] = {}  # the last error of an address, and until when it holds
        # seconds that loading has cost this process so far, by step; checks in the background are not counted
        self.spent: dict[str, float] = {}
        self.spent_seconds = 0.0  # their sum
        # a child shares the parent's models, which are only read, but must not inherit a lock or a connection
        os.register_at_fork(after_in_child=self.renew)

    def get(self, address: str) -> CacheEntry:
        """Get the model at `address`; the first call loads it.

        :raises FlyweightError: the model can't be loaded; a failure is remembered for five seconds.
        """
        entry = self._entries.get(address)  # without the lock: a dict read is atomic, and every warm request comes here
        if entry is None:
            return self._load(address)
        now = self._clock()
        entry.used = now
        return entry if now < entry.due else self._check(address, entry, now)

    def current(self, address: str) -> "CacheEntry | None":
        """Get the model at `address`; None if it is not loaded, or has to be checked first."""
        entry = self._entries.get(address)
        if entry is not None:
            now = self._clock()
            if now < entry.due:
                entry.used = now
                return entry
        return None

    def entries(self) -> "list[CacheEntry]":
        """List all models that are loaded."""
        return [*self._entries.values()]

    def age(self, entry: CacheEntry) -> float:
        """Get the seconds since the store last confirmed the model."""
        return max(0.0, self._clock() - entry.checked)

    def drop(self, address: str) -> None:
        """Forget the model at an address; requests that use it finish with it."""
        with self._lock:
            self._entries.pop(address, None)
            self._failures.pop(address, None)

    def expire(self) -> None:
        """Let the next request of every model that may change check it."""
        for entry in self.entries():
            entry.due = min(entry.due, self._clock()) if entry.model.may_change else inf

    def renew(self) -> None:
        """Replace locks and connections, after a fork or a snapshot; models stay."""
        self._lock = allocate_lock()
        self._flights = {}
        self._source.forget()

    def _load(self, address: str) -> CacheEntry:
        """Load a model, or wait for the thread that loads it.

        :raises FlyweightError: the load failed, less than five seconds ago.
        """
        with self._lock:
            entry, flight = self._entries.get(address), self._flights.get(address)
            if entry is not None:
                return entry
            error, until = self._failures.get(address, (None, 0.0))
            if flight is None and error is not None and self._clock() < until:
                raise error.with_traceback(None)  # raised again and again, it would grow by a few frames each time
            leads = flight is None
            flight = flight or self._flights.setdefault(address, _Flight())
        if leads:
            self._lead(address, flight)
        flight.done.wait()
        if flight.entry is None:
            error = flight.error or ModelUnavailable("loading the model was interrupted; try again")
            raise error.with_traceback(None)
        return flight.entry

    def _lead(self, address: str, flight: _Flight) -> None:
        """Load a model for all threads that wait for it."""
        try:
            model = self._source.load(address, self.spent)
            flight.entry = self._insert(address, model)
        except OSError as cause:
            # the path and the system's message are for the log only; callers learn that there is no model
            flight.error = self._remember(address, ModelUnavailable(f"the model file can't be read: {cause.strerror}"))
            flight.error.__cause__ = cause
        except FlyweightError as error:
            flight.error = self._remember(address, error)
        finally:
            self.spent_seconds = sum(self.spent.values())
            self._land(address, flight)

    def _check(self, address: str, entry: CacheEntry, now: float) -> CacheEntry:
        """Start a check, wait for it as long as a request may, and get the current model."""
        with self._lock:
            if now < entry.due or address in self._flights:  # another thread was first
                return self._entries.get(address, entry)
            entry.due = now + max(self._ttl, RETRY_SECONDS)  # in case that the check never ends
            flight = self._flights[address] = _Flight()
        from threading import Thread  # no cold start checks a model

        try:
            Thread(target=self._refresh, args=(address, entry, flight), name="flyweight-check", daemon=True).start()
        except RuntimeError:  # no more threads can start, or the interpreter is about to end
            self._land(address, flight)
        else:
            flight.done.wait(self._wait)
        return self._entries.get(address, entry)

    def _refresh(self, address: str, entry: CacheEntry, flight: _Flight) -> None:
        """Check a model; a new one replaces it, and after any failure it stays."""
        began, spent = self._clock(), dict[str, float]()
        try:
            model = self._source.refresh(address, entry.model, spent)
            if model is entry.model:
                entry.checked, entry.trouble, entry.due = began, "", began + self._ttl
            else:
                self._insert(address, model)
                former = f"{entry.model.predictor.name}/{entry.model.predictor.version}"
                steps = {f"{step}_ms": round(1000 * seconds, 3) for step, seconds in spent.items()}
                message = "another model answers from now on"
                self._log({"level": "INFO", "message": message, **_names(model), "former": former, **steps})
        except Exception as error:
            entry.trouble = str(error) if isinstance(error, FlyweightError) else type(error).__name__
            entry.due = self._clock() + min(self._ttl, RETRY_SECONDS)
            self._log({"level": "WARNING", "message": f"the model was not checked: {entry.trouble}", **_names(entry.model)})
        finally:
            self._land(address, flight)

    def _insert(self, address: str, model: "LoadedModel") -> CacheEntry:
        """Store a model and evict others over the budget; requests that use an evicted one finish with it."""
        entry = CacheEntry(model, self._clock(), self._ttl)
        with self._lock:
            self._failures.pop(address, None)
            self._entries[address] = entry
            total = sum([other.model.weight for other in self._entries.values()])
            for other in sorted(self._entries, key=lambda other: self._entries[other].used):
                if total <= self._budget:
                    break
                if other != address:
                    total -= self._entries.pop(other).model.weight
        return entry

    def _land(self, address: str, flight: _Flight) -> None:
        """End a load or check, and wake the threads that wait for it."""
        with self._lock:
            if self._flights.get(address) is flight:
                del self._flights[address]
        flight.done.set()

    def _remember(self, address: str, error: FlyweightError) -> FlyweightError:
        """Remember the error of an address for five seconds."""
        with self._lock:
            self._failures[address] = (error, self._clock() + RETRY_SECONDS)
        return error


def _names(model: "LoadedModel") -> "dict[str, str]":
    return {"model": model.predictor.name, "version": model.predictor.version}

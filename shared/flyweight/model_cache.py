"""Loaded models, one load per model and process however many threads race, and again after a fork."""

import os
from threading import Lock
from time import monotonic, perf_counter

from flyweight.errors import FlyweightError, ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flyweight.predictor import Predictor

RETRY_SECONDS = 5.0


class ModelCache:
    """Models by path. A failure is remembered for five seconds, so that a broken model costs one load and not one a request."""

    def __init__(self, load: "Callable[[str], Predictor]", clock: "Callable[[], float]" = monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = Lock()
        self._loaded: dict[str, Predictor] = {}
        self._failed: dict[str, tuple[FlyweightError, float]] = {}
        self.load_seconds = 0.0  # what loading has cost this process so far
        # A child shares the parent's models (they are only read) but must not inherit a lock that a thread held.
        os.register_at_fork(after_in_child=self._unlock)

    def get(self, path: str) -> "Predictor":
        """The model at `path`, loaded if this is the first call for it.

        :raises FlyweightError: it can't be loaded, as it was said the first time.
        """
        loaded = self._loaded.get(path)  # without the lock: a dict read is atomic, and this is every warm request
        return loaded if loaded is not None else self._get_slowly(path)

    def _get_slowly(self, path: str) -> "Predictor":
        with self._lock:
            if path in self._loaded:
                return self._loaded[path]
            error, until = self._failed.get(path, (None, 0.0))
            if error is not None and self._clock() < until:
                raise error
            began = perf_counter()
            try:
                self._loaded[path] = self._load(path)
            except OSError as cause:
                # the path and the system's words are for the log, the caller learns that there is no model
                raise self._remember(path, ModelUnavailable(f"the model file can't be read: {cause.strerror}")) from cause
            except FlyweightError as refused:
                raise self._remember(path, refused) from None
            finally:
                self.load_seconds += perf_counter() - began
            return self._loaded[path]

    def _remember(self, path: str, error: FlyweightError) -> FlyweightError:
        self._failed[path] = (error, self._clock() + RETRY_SECONDS)
        return error

    def _unlock(self) -> None:
        self._lock = Lock()

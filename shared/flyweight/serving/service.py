"""The life of a request, on one screen: `bind` makes a platform's callable, `Service.answer` says what happens inside.

event -> decode -> Request -> rows -> Prediction -> bytes -> Response -> encode -> the platform's own answer
"""

import os
import time
from time import perf_counter

from flyweight import IMPORT_BEGAN, settings
from flyweight.errors import FlyweightError, MethodNotAllowed, NotFound, log_fields, problem, with_next_step
from flyweight.formats import json as outputs
from flyweight.protocols.native import route
from flyweight.serving.cache import ModelCache
from flyweight.serving.sources import ModelSource
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.protocols.native import Notes
    from flyweight.records import Trigger
    from flyweight.records.sinks import Sink
    from flyweight.serving.cache import CacheEntry
    from flyweight.serving.logs import Log
    from flyweight.serving.traffic import Traffic

# The one place where an error's word becomes a number.
STATUS = {
    "malformed_request": 400,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid_input": 422,
    "internal": 500,
    "model_unavailable": 503,
    "not_done": 503,
}
OK = 200
NOWHERE: "Mapping[str, Callable[[str], Sink]]" = {}
PRIMING = 20  # answers until a forest has left the file (engines make themselves faster while they are asked)


def bind(
    decode: "Callable[..., Request]",
    encode: "Callable[..., Any]",
    *,
    home: str,
    logs: "Mapping[str, Callable[[], Log]]",
    after_fork: bool = False,
    wait: float = 0.0,
    hooks: "Callable[[Service], None]" = lambda service: None,
    triggers: "Callable[..., Trigger | None]" = lambda *event: None,
    sinks: "Mapping[str, Callable[[str], Sink]]" = NOWHERE,
) -> "Callable[..., Any]":
    """The callable that a platform invokes with its own event, and that answers in the platform's own words.

    `decode(*event)` gives a Request, `encode(response, *event)` the platform's answer; a model may lie in the folder `home`.
    `logs`: per value of FLYWEIGHT_OBSERVABILITY what makes the log, so that only the one chosen is imported.
    Models are loaded now, or in each child `after_fork` where the platform forks after it imports the handler.
    `wait`: seconds that a request waits for the check of a model that it starts; 0 where threads run on between requests.
    `hooks` gets the service, for what else a platform lets one hook into.
    `triggers` finds what takes an event that is no request; `sinks`: per scheme of an address what opens such a sink.
    """
    deployment = settings.read(home)
    if deployment.observability not in logs:
        known = ", ".join(repr(name) for name in logs)
        raise ValueError(f"FLYWEIGHT_OBSERVABILITY should be one of {known}, got {deployment.observability!r}")
    service = Service(deployment, logs[deployment.observability](), wait)
    if deployment.results or deployment.dead_letters:
        from flyweight.records.sinks import opened

        service.results, service.dead_letters = opened(deployment.results, sinks), opened(deployment.dead_letters, sinks)
    if after_fork:
        os.register_at_fork(after_in_child=service.preload)
    else:
        service.preload()
    hooks(service)
    service.cold["init"] = perf_counter() - IMPORT_BEGAN - service.models.spent_seconds

    def answer_event(*event: "Any") -> "Any":
        if (trigger := triggers(*event)) is not None:
            from flyweight.records.consumer import consume  # no request needs it

            return consume(service, trigger, event)
        return encode(service.respond(decode, event), *event)

    return answer_event


class Service:
    """Answers requests with the models of one deployment; its only state is those that are loaded."""

    def __init__(self, deployment: settings.Settings, log: "Log", wait: float = 0.0) -> None:
        self.settings = deployment
        self.log = log
        caching = deployment.caching
        source = ModelSource(deployment)
        self.models = ModelCache(source, budget=caching.cache_bytes, ttl=caching.ttl_seconds, wait=wait, tell=self.tell)
        self.cold = {"init": 0.0}  # seconds spent before the first request, told once
        self.results: Sink | None = None  # of records; None: what the platform's own function returns
        self.dead_letters: Sink | None = None  # None: the log
        self.traffic: Traffic | None = None
        if deployment.canary or deployment.shadow:
            from flyweight.serving import traffic

            self.traffic = traffic.Traffic(deployment, self.models)

    def respond(self, decode: "Callable[..., Request]", event: "tuple[Any, ...]") -> Response:
        """The response to a platform's event; an event that can't be decoded is answered like any other bad request."""
        try:
            request = decode(*event)
        except Exception as error:
            return self._finish({}, perf_counter(), getattr(error, "request_id", ""), error)
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        """The response to any request; it never raises."""
        began = perf_counter()
        notes: Notes = {}
        try:
            operation, name = route(request.method, request.path)
            notes["operation"] = operation.__name__
            body, media = operation(self, request, notes, name)
        except Exception as error:
            return self._finish(notes, began, request.request_id, error)
        return self._finish(notes, began, request.request_id, None, body, media)

    def predictor(self, request: Request, notes: "Notes", name: str) -> "Predictor":
        """The model that answers a request, noted for headers and log, with what it took if this request had to load it."""
        before = self.models.spent_seconds
        kept = self._kept(request, notes, name)
        if self.models.spent_seconds != before:
            notes["load_ms"] = round(1000 * (self.models.spent_seconds - before), 3)
        predictor = kept.model.predictor
        notes["model"], notes["version"] = predictor.name, predictor.version
        if kept.model.release is not None:
            notes["sha256"], notes["checked_s"] = kept.model.release.sha256, round(self.models.age(kept), 3)
            if kept.trouble:
                notes["stale"] = kept.trouble
        return predictor

    def prime(self) -> None:
        """Answer the own samples of the models that are loaded, so that a snapshot, or the first caller, finds all made ready."""
        for kept in self.models.kept():
            for _ in range(PRIMING):
                kept.model.predictor.passes_self_test()

    def restored(self) -> None:
        """Go on from a snapshot, maybe days old and shared by many: no connection holds, nor a check of a model."""
        self.models.renew()
        self.models.expire()
        self.models.spent, self.models.spent_seconds = {}, 0.0
        self.cold = {"init": 0.0, "restored": 0.0}

    def preload(self) -> None:
        """Load models ahead of the first request; a failure waits for a request, to be answered there."""
        deployment = self.settings
        for address in (deployment.model, *[deployment.models[name] for name in deployment.preload]):
            try:
                self.models.get(address)
            except Exception as error:
                self.tell({"level": "ERROR", "message": f"the model was not loaded: {with_next_step(error)}"})

    def _kept(self, request: Request, notes: "Notes", name: str) -> "CacheEntry":
        if name:
            if name not in self.settings.models:
                raise NotFound(f"no model is called {name[:100]!r}; GET /models lists those that there are")
            return self.models.get(self.settings.models[name])
        if self.traffic is not None and notes["operation"] == "predict":
            return self.traffic.chosen(request, notes)
        return self.models.get(self.settings.model)

    def _finish(
        self, notes: "Notes", began: float, request_id: str, error: "Exception | None", body: bytes = b"", media: str = ""
    ) -> Response:
        """Status, headers and log line, the same for every response."""
        request_id = request_id or os.urandom(16).hex()
        status = OK if error is None else status_of(error)
        if error is not None:
            media = "application/problem+json"
            body = outputs.json_bytes(problem(error, status, request_id))
            notes.update(log_fields(error))
        milliseconds = 1000 * (perf_counter() - began)
        timing, cold = self.timing(milliseconds - notes.get("load_ms", 0.0))
        headers = {"content-type": media, "x-request-id": request_id, "server-timing": timing}
        if "model" in notes:
            _tell_model(headers, notes)
        if isinstance(error, MethodNotAllowed):
            headers["allow"] = error.allow
        level = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"
        entry = {"level": level, "message": "answered", "request_id": request_id, "status": status, **notes}
        entry["duration_ms"], entry["cold"] = round(milliseconds, 3), bool(cold)
        if cold:
            entry["cold_start_ms"] = cold
        self.tell(entry)
        return Response(status, headers, body)

    def tell(self, entry: "Mapping[str, Any]") -> None:
        """Write a log entry, or go on without."""
        try:
            self.log(entry)
        except Exception:  # standard output that is closed, or full: an answer is worth more than its log line
            pass

    def timing(self, milliseconds: float) -> "tuple[str, dict[str, float]]":
        """The Server-Timing header, and what the cold start cost by step, told with the process's first request only."""
        if not self.cold:
            return f"init;dur=0.000, load;dur=0.000, predict;dur={milliseconds:.3f}", {}
        before, self.cold = self.cold, {}
        steps = {**before, "load": 0.0, **self.models.spent, "predict": milliseconds / 1000}
        told = ", ".join([f"{step};dur={1000 * seconds:.3f}" for step, seconds in steps.items()])
        began = None if "restored" in before else _process_began()
        runtime = {"runtime": IMPORT_BEGAN - began} if began is not None and began < IMPORT_BEGAN else {}
        return told, {step: round(1000 * seconds, 3) for step, seconds in {**runtime, **steps}.items()}


def status_of(error: Exception) -> int:
    """The number of an error's word."""
    return STATUS[error.word if isinstance(error, FlyweightError) else "internal"]


def _tell_model(headers: "dict[str, str]", notes: "Notes") -> None:
    """Which model answered; of one from a store, how many seconds ago that was checked, and whether the last check failed."""
    headers["x-flyweight-model"] = f"{notes['model']}/{notes['version']}"
    if "checked_s" in notes:
        headers["x-flyweight-checked"] = f"{notes['checked_s']:.3f}"
        headers["x-flyweight-sha256"] = notes["sha256"]
    if "stale" in notes:
        headers["x-flyweight-stale"] = "the store could not be asked, or has what is refused; the log says more"
    if "variant" in notes:
        headers["x-flyweight-variant"] = notes["variant"]


def _process_began() -> "float | None":
    """When this process was started, on the clock of `perf_counter`; None where the system does not say (not Linux).

    Source: proc(5), field 22 of /proc/self/stat, in clock ticks since the system's start.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return perf_counter() - age

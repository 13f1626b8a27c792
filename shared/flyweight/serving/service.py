"""A request's life: route, predict, response, log line.

event -> decode -> Request -> protocol parse -> instances -> predictor -> Prediction -> protocol render -> Response -> encode
"""

import time
from _thread import allocate_lock
from time import perf_counter

from flyweight import IMPORT_BEGAN, protocols
from flyweight.errors import (
    NO_HEADERS,
    OK,
    FlyweightError,
    InvalidInput,
    MalformedRequest,
    NotFound,
    TooLarge,
    error_fields,
    log_level,
    with_next_step,
)
from flyweight.serving.cache import ModelCache
from flyweight.serving.exchange import Exchange
from flyweight.serving.sources import ModelSource
from flyweight.values import Request, Response

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.protocols import Answer, Operation
    from flyweight.serving.cache import CacheEntry
    from flyweight.serving.delivery import Carrier
    from flyweight.serving.logs import Log
    from flyweight.serving.traffic import Traffic
    from flyweight.serving.usual import Usual
    from flyweight.settings import Settings
    from flyweight.values import LogFields

    Kind = tuple[str, str, str | None, str | None]  # a request's method, path, content type and Accept header

# bytes of a body above which it is compressed and its size is checked. Ten packets arrive in the first round trip of a connection
# (https://www.rfc-editor.org/rfc/rfc6928), so that a smaller body does not arrive sooner if it is compressed; and each platform
# carries this much
ONE_TRIP = 10 * 1460
WARM = "init;dur=0.000, load;dur=0.000, predict;dur="  # the Server-Timing header of later requests, before the milliseconds
REPEATS = 20  # answered requests of one kind after which `usual` answers those that follow
KINDS = 16  # that are counted; a caller could invent any number
PREDICTING = ("predict", "infer", "classify", "regress")  # operations of protocols of which a canary answers a share
PRIMING = 60  # answers after which an engine has its fastest form: engines get faster while they answer


class Service:
    """Answers requests with the models of one deployment; its only state is the loaded models.

    :param log: writes one log entry.
    :param refresh_wait_seconds: how long a request waits for the check of a model that it starts.
    :param carrier: `carrier(*event)` says what carries the answer to a platform's event; it is asked for large answers only.
    :param streams: `streams(*event)` tells whether an answer may be sent while it is made.
    :raises InvalidSetting: a protocol that the settings name does not exist.
    """

    ONE_TRIP, WARM = ONE_TRIP, WARM  # for `usual`, which no module above it imports

    def __init__(
        self,
        settings: "Settings",
        log: "Log",
        refresh_wait_seconds: float = 0.0,
        carrier: "Callable[..., Carrier] | None" = None,
        streams: "Callable[..., bool] | None" = None,
    ) -> None:
        self.settings = settings
        self._giving = allocate_lock()  # of `give`
        self._carrier = carrier
        self.protocols = protocols.Protocols(settings.protocols)
        self._write = log
        caching = settings.caching
        self.models = ModelCache(
            ModelSource(settings, self.log),
            budget=caching.cache_bytes,
            ttl=caching.ttl_seconds,
            refresh_wait_seconds=refresh_wait_seconds,
            log=self.log,
        )
        self.cold = {"init": 0.0}  # seconds spent before the first request, by step; logged once
        self.streams = streams
        self.stopping = False  # whether the process finishes its requests and ends; it is then not ready
        self._usual: dict[Kind, Usual] = {}
        self._seen: dict[Kind, int] = {}
        self.traffic: Traffic | None = None
        if settings.canary or settings.shadow:
            from flyweight.serving import traffic

            self.traffic = traffic.Traffic(settings, self.models)

    def respond(self, decode: "Callable[..., Request]", event: "tuple[Any, ...]") -> Response:
        """Answer a platform's event; if it can't be decoded, answer with the error.

        :param decode: `decode(*event)` makes a Request.
        """
        try:
            request = decode(*event)
        except Exception as error:
            request_id = getattr(error, "request_id", "") or self.new_id()
            headers = error.request_headers if isinstance(error, FlyweightError) else NO_HEADERS
            exchange = Exchange(self, Request("", "", headers, b"", request_id))
            return self.finish(exchange, perf_counter(), self.protocols.first.error(error, request_id), error)
        return self.answer(request, event)

    def answer(self, request: Request, event: "tuple[Any, ...]" = ()) -> Response:
        """Answer any request; never raises.

        :param event: the platform's own form of the request.
        """
        began = perf_counter()
        headers = request.headers
        kind = request.method, request.path, headers.get("content-type"), headers.get("accept")
        usual = self._usual.get(kind)
        if usual is not None and (response := usual.answer(request, began, event)) is not None:
            return response
        if not request.request_id:
            request = request._replace(request_id=self.new_id())
        exchange = Exchange(self, request)
        if self.streams is not None and event and self.traffic is None:
            exchange.streams = self.streams(*event)
        protocol = self.protocols.first
        failure = None
        try:
            protocol, operation, name = protocols.route(self.protocols, request.method, self._path(request))
            exchange.log_fields["operation"] = operation.__name__
            if "content-encoding" in request.headers:
                request = exchange.unpack(self.settings.limits.max_body_bytes)
            answer = operation(exchange, request, name)
            if len(answer.body) > ONE_TRIP:
                answer = self.fitted(answer, request, event)
            if usual is None:
                self._count(kind, operation, name)
        except Exception as error:
            claim = self._claimed(error, exchange, request, event)
            answer, failure = claim or (protocol.error(error, request.request_id), error)
        return self.finish(exchange, began, answer, failure)

    def predictor(self, request: Request, log_fields: "LogFields", name: str) -> "Predictor":
        """Get the model that answers a request; its first request loads it.

        :param log_fields: the model's name, version, hash and age are added, and `load_ms` if this request loaded it.
        :param name: the model's name in FLYWEIGHT_MODELS, "" for the default one.
        :raises NotFound: no model has that name.
        :raises FlyweightError: the model can't be loaded.
        """
        before = self.models.spent_seconds
        entry = self._entry(request, log_fields, name)
        if self.models.spent_seconds != before:
            log_fields["load_ms"] = round(1000 * (self.models.spent_seconds - before), 3)
        log_fields.update(self.names(entry))
        return entry.model.predictor

    def give(self, name: str, address: str) -> bool:
        """Give a name to the model at an address, beside those of FLYWEIGHT_MODELS.

        :param address: "" takes the name away, and drops its model.
        :returns: False if a model has the name already, which it keeps.
        """
        with self._giving:
            if address and name in self.settings.models:
                return False
            models = {**self.settings.models, name: address}  # replaced as a whole: other threads read it meanwhile
            if not address:
                self.models.drop(self.settings.models.get(name, ""))
                del models[name]
            self.settings = self.settings._replace(models=models)
            return True

    def names(self, entry: "CacheEntry") -> "LogFields":
        """List the log fields of a model: its name and version; of a model from a store also its hash and its age."""
        model = entry.model
        fields: LogFields = {"model": model.predictor.name, "version": model.predictor.version}
        if model.release is not None:
            fields["sha256"], fields["checked_s"] = model.release.sha256, round(self.models.age(entry), 3)
            if entry.trouble:
                fields["stale"] = entry.trouble
        return fields

    def prime(self) -> None:
        """Answer the own samples of all loaded models, so that engines are prepared before a snapshot or the first request."""
        for entry in self.models.entries():
            for _ in range(PRIMING):
                entry.model.predictor.passes_self_test()

    def after_restore(self) -> None:
        """Continue from a snapshot, maybe days old and shared by many processes: drop connections, and let models be checked."""
        self.models.renew()
        self.models.expire()
        self.models.spent, self.models.spent_seconds = {}, 0.0
        self.cold = {"init": 0.0, "restored": 0.0}

    def preload(self) -> None:
        """Load models before the first request; a failure is logged, and answered when a request needs the model."""
        settings = self.settings
        for address in (settings.model, *[settings.models[name] for name in settings.preload]):
            try:
                self.models.get(address)
            except Exception as error:
                self.log({"level": "ERROR", "message": f"the model was not loaded: {with_next_step(error)}"})

    def follow(self, wrap: "Callable[[Log], Log]") -> None:
        """Write entries from now on to the log that a function makes around the present one."""
        self._write = wrap(self._write)

    def write(self, entry: "Mapping[str, Any]") -> None:
        """Write a log entry.

        :raises Exception: standard output is closed or full, or the entry can't be written.
        """
        self._write(entry)

    def log(self, entry: "Mapping[str, Any]") -> None:
        """Write a log entry; a failure to write is ignored."""
        try:
            self._write(entry)
        except Exception:  # standard output is closed or full; the answer matters more than its log line
            pass

    def timing(self, milliseconds: float) -> "tuple[str, dict[str, float]]":
        """Make the Server-Timing header, and the milliseconds of the cold start by step for the process's first request.

        :param milliseconds: the time that this request took, without loading models.
        :returns: the header, and the steps; {} for later requests.
        """
        if not self.cold:
            return f"{WARM}{milliseconds:.3f}", {}
        before, self.cold = self.cold, {}
        steps = {**before, "load": 0.0, **self.models.spent, "predict": milliseconds / 1000}
        header = ", ".join([f"{step};dur={1000 * seconds:.3f}" for step, seconds in steps.items()])
        began = None if "restored" in before else _process_began()
        runtime = {"runtime": IMPORT_BEGAN - began} if began is not None and began < IMPORT_BEGAN else {}
        return header, {step: round(1000 * seconds, 3) for step, seconds in {**runtime, **steps}.items()}

    def _claimed(
        self, error: Exception, exchange: "Exchange", request: Request, event: "tuple[Any, ...]"
    ) -> "tuple[Answer, Exception | None] | None":
        """Answer a body that native refused, if it is another protocol's: engines of SQL call one path only.

        :returns: the answer, and the error that it tells or None; None if the body is no other protocol's.
        """
        if not isinstance(error, (InvalidInput, MalformedRequest, TooLarge)) or exchange.log_fields.get("operation") != "predict":
            return None
        if (found := protocols.claimed(self.protocols, request)) is None:
            return None
        protocol, operation = found
        exchange.log_fields["operation"] = operation.__name__
        try:
            answer = operation(exchange, request, "")
            return self.fitted(answer, request, event) if len(answer.body) > ONE_TRIP else answer, None
        except Exception as failure:
            return protocol.error(failure, request.request_id), failure

    def _path(self, request: Request) -> str:
        """Get the path of a request without the base path below which the endpoint is mounted.

        It is the setting's, or the one that a proxy tells in X-Forwarded-Prefix.
        """
        path, prefix = request.path, request.headers.get("x-forwarded-prefix", "")
        if not self.settings.base_path and not prefix:
            return path
        from flyweight.protocols import paths  # imported late: most endpoints are not mounted below a base path

        path = paths.normalized(path)
        for base in (self.settings.base_path, *prefix.split(",")):
            shorter = paths.without_base(path, base.strip())
            if shorter != path:
                return shorter
        return path

    def fitted(self, answer: "Answer", request: Request, event: "tuple[Any, ...]") -> "Answer":
        """Compress a large answer if the caller takes it.

        :raises TooLarge: the platform does not carry the answer.
        """
        from flyweight.serving import delivery  # imported late: it is for large answers only

        carrier = self._carrier(*event) if self._carrier is not None and event else delivery.ANYTHING
        return delivery.fit(answer, request.headers.get("accept-encoding", ""), carrier)

    def _entry(self, request: Request, log_fields: "LogFields", name: str) -> "CacheEntry":
        """Get the cache entry of the model that answers a request.

        :raises NotFound: no model has that name.
        :raises FlyweightError: the model can't be loaded.
        """
        if name:
            if name not in self.settings.models:
                raise NotFound(f"no model is called {name[:100]!r}; GET /models lists the models")
            return self.models.get(self.settings.models[name])
        if self.traffic is not None and log_fields["operation"] in PREDICTING:
            return self.traffic.choose(request, log_fields)
        return self.models.get(self.settings.model)

    def finish(self, exchange: "Exchange", began: float, answer: "Answer", error: "Exception | None") -> Response:
        """Make the response, with the headers that all protocols share, and write its log line."""
        log_fields, request_id, body = exchange.log_fields, exchange.request.request_id, answer.body
        if error is not None:
            log_fields.update(error_fields(error))
        milliseconds = 1000 * (perf_counter() - began)
        timing, cold = self.timing(milliseconds - log_fields.get("load_ms", 0.0))
        headers = {"content-type": answer.content_type, "x-request-id": request_id, "server-timing": timing, **answer.headers}
        if "model" in log_fields:
            headers.update(self.model_headers(log_fields))
        if error is not None and isinstance(error, FlyweightError):
            headers.update(error.headers)
        if not answer.content_type:
            del headers["content-type"]
        if exchange.request.method.upper() == "HEAD":
            headers["content-length"], body = str(len(body)), b""
        if self.settings.cors is not None:
            from flyweight.serving import cors  # imported late: most endpoints are not called by pages of other origins

            cors.add(headers, self.settings.cors, exchange.request)
        self.log(_entry(answer.status, request_id, log_fields, round(milliseconds, 3), cold))
        return Response(answer.status, headers, body, answer.blocks)

    def finish_usual(
        self, request: Request, began: float, event: "tuple[Any, ...]", entry: "CacheEntry", count: int, text: bytes
    ) -> Response:
        """Make the response to a usual request whose answer is large, or whose log line has no template.

        :param count: the number of its instances.
        :param text: the body of the answer.
        :raises FlyweightError: the answer is large, and the platform does not carry it.
        """
        exchange = Exchange(self, request if request.request_id else request._replace(request_id=self.new_id()))
        exchange.log_fields.update({"operation": "predict", **self.names(entry), "instances": count})
        answer = protocols.Answer(text, "application/json")
        if len(text) > ONE_TRIP:
            answer = self.fitted(answer, request, event)
        return self.finish(exchange, began, answer, None)

    @staticmethod
    def new_id() -> str:
        """Make the id of a request that has none."""
        return os.urandom(16).hex()

    @staticmethod
    def model_headers(log_fields: "LogFields") -> "dict[str, str]":
        """Make the headers of a model: its name; of one from a store also its hash, the seconds since its check, its trouble."""
        headers = {"x-flyweight-model": f"{log_fields['model']}/{log_fields['version']}"}
        if "checked_s" in log_fields:
            headers["x-flyweight-checked"] = f"{log_fields['checked_s']:.3f}"
            headers["x-flyweight-sha256"] = log_fields["sha256"]
        if "stale" in log_fields:
            headers["x-flyweight-stale"] = "the store can't be read, or its model was refused; the log has the reason"
        if "variant" in log_fields:
            headers["x-flyweight-variant"] = log_fields["variant"]
        return headers

    def _count(self, kind: "Kind", operation: "Operation", name: str) -> None:
        """Count an answered request; after some of one kind, make what answers those that follow."""
        if len(self._seen) >= KINDS and kind not in self._seen:
            self._seen, self._usual = {}, {}
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        if seen == REPEATS:
            from flyweight.serving.usual import made  # imported late: a process that answers few requests does not need it

            usual = made(self, kind, operation, name)
            if usual is not None:
                self._usual[kind] = usual

    def repeated_log(self, log_fields: "LogFields") -> "Callable[[str, str, str], None] | None":
        """Make what writes the log lines of answers that have the same fields but for three; None if the log can't.

        :param log_fields: of one such answer.
        :returns: takes the JSON of the request's id, of the number of instances, and of the milliseconds.
        """
        template = getattr(self._write, "template", None)
        if template is None:
            return None
        fields = {**log_fields, "instances": 0}
        write: Callable[[str, str, str], None] = template(
            _entry(OK, "", fields, 0.0, {}), ("request_id", "instances", "duration_ms")
        )
        return write


def _entry(
    status: int, request_id: str, log_fields: "LogFields", milliseconds: float, cold: "Mapping[str, float]"
) -> "dict[str, Any]":
    """Make the log entry of an answer."""
    entry: dict[str, Any] = {"level": log_level(status), "message": "answered", "request_id": request_id, "status": status}
    entry.update(log_fields)
    entry["duration_ms"], entry["cold"] = milliseconds, bool(cold)
    if cold:
        entry["cold_start_ms"] = cold
    return entry


def _process_began() -> "float | None":
    """Find the start of this process, in seconds on the clock of `perf_counter`; None on systems other than Linux.

    Source: proc(5), field 22 of /proc/self/stat, in clock ticks since the system's start.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return perf_counter() - age

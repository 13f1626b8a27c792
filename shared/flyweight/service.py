"""The life of a request, on one screen: `bind` makes a platform's callable, `Service.answer` says what happens inside.

event -> decode -> Request -> rows -> Prediction -> bytes -> Response -> encode -> the platform's own answer
"""

import os
from time import perf_counter

from flyweight import IMPORT_BEGAN, outputs, settings
from flyweight.errors import FlyweightError, InvalidInput, MethodNotAllowed, ModelUnavailable, NotFound, UnsupportedMediaType
from flyweight.messages import Request, Response
from flyweight.model_cache import ModelCache
from flyweight.predictor import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.logs import Log
    from flyweight.predictor import Predictor

    Notes = dict[str, Any]  # what the log line will say
    Operation = Callable[["Service", Request, Notes], tuple[bytes, str]]  # to a body and its media type

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
}
OK = 200


def bind(
    decode: "Callable[..., Request]",
    encode: "Callable[..., Any]",
    *,
    home: str,
    logs: "Mapping[str, Callable[[], Log]]",
    after_fork: bool = False,
) -> "Callable[..., Any]":
    """The callable that a platform invokes with its own event, and that answers in the platform's own words.

    `decode(*event)` gives a Request, `encode(response, *event)` the platform's answer; the model lies in the folder `home`.
    `logs`: per value of FLYWEIGHT_OBSERVABILITY what makes the log, so that only the one chosen is imported.
    The model is loaded now, or in each child `after_fork` where the platform forks after it imports the handler.
    """
    deployment = settings.read(home)
    if deployment.observability not in logs:
        known = ", ".join(repr(name) for name in logs)
        raise ValueError(f"FLYWEIGHT_OBSERVABILITY should be one of {known}, got {deployment.observability!r}")
    service = Service(deployment, logs[deployment.observability]())
    if after_fork:
        os.register_at_fork(after_in_child=service.preload)
    else:
        service.preload()
    service.cold["init"] = perf_counter() - IMPORT_BEGAN - service.models.load_seconds

    def answer_event(*event: "Any") -> "Any":
        return encode(service.respond(decode, event), *event)

    return answer_event


class Service:
    """Answers requests with one model; its only state is the loaded model."""

    def __init__(self, deployment: settings.Settings, log: "Log") -> None:
        self.settings = deployment
        self.log = log
        self.models = ModelCache(lambda path: load(path, deployment.limits))
        self.cold = {"init": 0.0}  # seconds spent before the first request, told once

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
            operation = route(request.method, request.path)
            notes["operation"] = operation.__name__
            body, media = operation(self, request, notes)
        except Exception as error:
            return self._finish(notes, began, request.request_id, error)
        return self._finish(notes, began, request.request_id, None, body, media)

    def predictor(self, notes: "Notes") -> "Predictor":
        """The model that answers, noted for the log, and what it took if this request had to load it."""
        before = self.models.load_seconds
        predictor = self.models.get(self.settings.model)
        if self.models.load_seconds != before:
            notes["load_ms"] = round(1000 * (self.models.load_seconds - before), 3)
        notes["model"], notes["version"] = predictor.name, predictor.version
        return predictor

    def preload(self) -> None:
        """Load the model ahead of the first request; a failure waits for a request, to be answered there."""
        try:
            self.models.get(self.settings.model)
        except Exception as error:
            self._tell({"level": "ERROR", "message": f"the model was not loaded: {error}"})

    def _finish(
        self, notes: "Notes", began: float, request_id: str, error: "Exception | None", body: bytes = b"", media: str = ""
    ) -> Response:
        """Status, headers and log line, the same for every response."""
        request_id = request_id or os.urandom(16).hex()
        status = OK if error is None else STATUS[error.word if isinstance(error, FlyweightError) else "internal"]
        if error is not None:
            media = "application/problem+json"
            body = _problem(error, status, request_id)
            notes.update(_failure(error))
        milliseconds = 1000 * (perf_counter() - began)
        timing, cold = self._timing(milliseconds - notes.get("load_ms", 0.0))
        headers = {"content-type": media, "x-request-id": request_id, "server-timing": timing}
        if "model" in notes:
            headers["x-flyweight-model"] = f"{notes['model']}/{notes['version']}"
        if isinstance(error, MethodNotAllowed):
            headers["allow"] = error.allow
        level = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"
        entry = {"level": level, "message": "answered", "request_id": request_id, "status": status, **notes}
        entry["duration_ms"], entry["cold"] = round(milliseconds, 3), cold
        self._tell(entry)
        return Response(status, headers, body)

    def _tell(self, entry: "Notes") -> None:
        try:
            self.log(entry)
        except Exception:  # standard output that is closed, or full: an answer is worth more than its log line
            pass

    def _timing(self, milliseconds: float) -> "tuple[str, bool]":
        """The Server-Timing header; what the process spent before its first request is told with that one only."""
        if not self.cold:
            return f"init;dur=0.000, load;dur=0.000, predict;dur={milliseconds:.3f}", False
        init, spent = self.cold.pop("init", 0.0), self.models.load_seconds
        return f"init;dur={1000 * init:.3f}, load;dur={1000 * spent:.3f}, predict;dur={milliseconds:.3f}", True


def route(method: str, path: str) -> "Operation":
    """The operation that a method and a path name.

    :raises NotFound, MethodNotAllowed: there is none.
    """
    allowed, operation = ROUTES.get(path.rstrip("/") or "/", ("", None))
    if operation is None:
        listed = ", ".join(f"{m} {p}" for p, (m, _) in ROUTES.items())
        raise NotFound(f"nothing at {path[:200]!r}; there are {listed}")
    if allowed != method.upper().replace("HEAD", "GET"):
        raise MethodNotAllowed(f"{path[:200]} takes {allowed}, got {method[:20]!r}", allow=allowed)
    return operation


def predict(service: Service, request: Request, notes: "Notes") -> "tuple[bytes, str]":
    """Instances in, predictions out."""
    predictor = service.predictor(notes)
    media = outputs.form(request.headers.get("accept", ""))
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", ""):
        raise UnsupportedMediaType(f"content encoding {encoding[:50]!r} is not spoken here; send the body as it is")
    rows, asked = predictor.reader.read(request.body, request.headers.get("content-type", ""))
    notes["instances"] = len(rows)
    return outputs.encode(predictor.answer(rows, asked), media, {"name": predictor.name, "version": predictor.version}), media


def health(service: Service, request: Request, notes: "Notes") -> "tuple[bytes, str]":
    """The process lives."""
    return outputs.json_bytes({"status": "ok"}), "application/json"


def ready(service: Service, request: Request, notes: "Notes") -> "tuple[bytes, str]":
    """A model is loaded, and its own sample answers as it was recorded when it was packed."""
    if not service.predictor(notes).proves_itself():
        raise ModelUnavailable("the model's own sample does not answer as it was recorded")
    return outputs.json_bytes({"status": "ready"}), "application/json"


def model(service: Service, request: Request, notes: "Notes") -> "tuple[bytes, str]":
    """What the model is, takes and gives."""
    return outputs.json_bytes(service.predictor(notes).metadata()), "application/json"


def openapi(service: Service, request: Request, notes: "Notes") -> "tuple[bytes, str]":
    """The API's own description."""
    from flyweight.openapi import describe  # no prediction needs it

    return outputs.json_bytes(describe(service.predictor(notes))), "application/json"


ROUTES: "dict[str, tuple[str, Operation]]" = {
    "/predict": ("POST", predict),
    "/": ("POST", predict),
    "/health": ("GET", health),
    "/ready": ("GET", ready),
    "/model": ("GET", model),
    "/openapi.json": ("GET", openapi),
}


def _problem(error: Exception, status: int, request_id: str) -> bytes:
    """A problem document (RFC 9457); of an error that nobody foresaw it tells the request id and nothing else."""
    word = error.word if isinstance(error, FlyweightError) else FlyweightError.word
    document = {"type": f"urn:flyweight:problem:{word}", "title": word.replace("_", " "), "status": status}
    if isinstance(error, FlyweightError):
        document["detail"] = str(error)
    if isinstance(error, InvalidInput):
        faults = [fault._asdict() for fault in error.faults]  # type: ignore[attr-defined]
        document["errors"] = [{key: value for key, value in fault.items() if value is not None} for fault in faults]
    return outputs.json_bytes({**document, "request_id": request_id})


def _failure(error: Exception) -> "Notes":
    """What the log tells of an error: its words if it was foreseen, its traceback if not."""
    if isinstance(error, FlyweightError):
        return {"message": f"{error.word}: {error}"[:1000]}
    import traceback

    return {"message": f"internal: {type(error).__name__}", "exception": "".join(traceback.format_exception(error))}

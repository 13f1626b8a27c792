"""Answer the usual request: one that differs from some before it in its instances and its id alone.

Requests of one kind have the same method, path, content type and Accept header. They take the same way through route, parser,
model and writer, so that `Usual` does only what depends on the instances. The texts that are the same in each answer, log
line and header are made once, by the functions that make them for other requests. Where anything is not usual, a request goes the
long way of `Service.answer`, which also words each error. Both ways give the same bytes (docs/decisions/0032).
"""

from time import perf_counter

from flyweight import formats, strict_json
from flyweight.errors import OK
from flyweight.formats import json as json_format
from flyweight.protocols import native
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.protocols import Operation
    from flyweight.serving.cache import CacheEntry
    from flyweight.serving.service import Kind, Service

REST = tuple([*Response(OK, {}, b"")][3:])  # the fields of a response beside status, headers and body
OPENING = '{"instances": '  # how most bodies begin; the object around the instances is then not made
BEGIN = len(OPENING)


def made(service: "Service", kind: "Kind", operation: "Operation", name: str) -> "Usual | None":
    """Make what answers further requests of a kind; None if they are not usual.

    :param operation: of the kind's path; usual is native's prediction, from JSON to JSON, by the deployment's only model.
    :param name: the model's name in the path.
    """
    settings = service.settings
    media_type, parameters = formats.split_content_type(kind[2] or "")
    plain = media_type == native.JSON == formats.negotiate(kind[3] or "") and {*parameters} <= {"charset"}
    alone = service.traffic is None and settings.cors is None and not settings.base_path and not settings.limits.parse_text
    return Usual(service) if operation is native.predict and not name and plain and alone else None


class Usual:
    """Answers usual requests of one kind by the deployment's own model."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._most = min(formats.LARGE, service.settings.limits.max_body_bytes)
        self._way: _Way | None = None

    def answer(self, request: Request, began: float, event: "tuple[Any, ...]") -> "Response | None":
        """Answer a request; None if it is not usual, and nothing was done.

        :param began: when the request came, on the clock of `perf_counter`.
        :param event: the platform's own form of the request.
        """
        _, _, headers, body, request_id, _ = request
        unusual = "content-encoding" in headers or "x-forwarded-prefix" in headers or len(body) > self._most
        service = self._service
        entry = service.models.current(service.settings.model)  # an agent at the edge follows newer ones
        if unusual or entry is None or service.cold:
            return None
        way = self._way
        if way is None or way.model is not entry.model:
            way = self._way = _Way(service, entry)  # in one step: another thread may be using the one before
        try:
            rows = way.rows(body.decode())
            text = way.text(rows)
            if len(text) > service.ONE_TRIP and service.streams is not None and event and service.streams(*event):
                self._most = min(self._most, len(body) - 1)  # the next body of this size goes the long way at once
                return None
            if way.log is None or len(text) > service.ONE_TRIP:
                return service.finish_usual(request, began, event, entry, len(rows), text)
        except Exception:  # the long way finds the same fault, and words it
            return None
        request_id = request_id or service.new_id()
        milliseconds = f"{1000 * (perf_counter() - began):.3f}"
        answered = {
            "content-type": native.JSON,
            "x-request-id": request_id,
            "server-timing": f"{service.WARM}{milliseconds}",
            "x-flyweight-model": way.name,
        }
        shortest = milliseconds.rstrip("0")  # as `repr` writes the number, but for a point at the end
        try:
            way.log(strict_json.quoted(request_id), str(len(rows)), f"{shortest}0" if shortest[-1] == "." else shortest)
        except Exception:  # standard output is closed or full, as in `Service.log`
            pass
        return Response._make((OK, answered, text, None))


class _Way:
    """The way of usual requests through one model."""

    def __init__(self, service: "Service", entry: "CacheEntry") -> None:
        self.model = entry.model
        self._predictor = predictor = entry.model.predictor
        self._validator = predictor.validator
        named = {"name": predictor.name, "version": predictor.version}
        self._write = json_format.writer(predictor.usual_fields, predictor.labels, named)
        self._write_row = json_format.row_writer(predictor.usual_fields, predictor.labels, named)
        self._compiled = predictor.compiled() if self._write_row is not None else None
        # the points in one row of floats; no text has -1, for a model whose features are not all numbers
        self._points = len(predictor.signature.features) if self._validator.plain else -1
        fields = {"operation": "predict", **service.names(entry)}
        self.name = service.model_headers(fields)["x-flyweight-model"]
        # a model of a store has fields that change with time
        self.log = service.repeated_log(fields) if entry.model.release is None else None

    def rows(self, text: str) -> "Any":
        """Read and validate the instances of a body.

        :raises Exception: it is not strict JSON, has other keys beside the instances, or they do not fit the model.
        """
        if text.startswith(OPENING) and text[-1] == "}":
            document, end = strict_json.scan(text, BEGIN)
            if end == len(text) - 1:
                # a number has one point at most: as many points as features in one row are those of floats
                if text.count(".") == self._points and text.find('"', BEGIN) < 0:
                    row = self._validator.row_of_floats(document)
                    if row is not None:
                        return [row]
                return self._validator.rows(document)
        document, end = strict_json.scan(text, 0)
        if end != len(text) and text[end:].strip(strict_json.WHITE):
            raise ValueError("more text")
        if type(document) is dict:
            if len(document) != 1:
                raise ValueError("other keys")
            document = document["instances"]
        return self._validator.rows(document)

    def text(self, rows: "Any") -> bytes:
        """Answer rows, as JSON.

        :raises Exception: the model refuses a row, or a number of the only row's answer is not finite.
        """
        if len(rows) == 1 and self._compiled is not None and self._write_row is not None:
            return self._write_row(self._compiled(rows[0]))
        return self._write(self._predictor.answer(rows))

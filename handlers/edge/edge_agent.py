"""Answer, keep, forward, pull and report: the parts of the agent together, and when each is due."""

import os
from _thread import allocate_lock, start_new_thread

from edge_answers import Answers, NotKept
from edge_clock import Clock
from edge_models import Models

from flyweight import __version__, strict_json
from flyweight.errors import FlyweightError, StoreFailed
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from edge_cloud import Cloud
    from edge_forwarding import Endpoint, Objects
    from server_http import Message

    from flyweight.serving.service import Service
    from flyweight.settings.edge import Edge

FIRST_WAIT, LAST_WAIT = 1.0, 300.0  # seconds after a failure, doubled with each one that follows
LOOK = 1.0  # seconds between two looks for what is due
MODEL, KEPT = "x-flyweight-model", "x-flyweight-sequence"
SENT_SECONDS = 30.0  # for one batch on a slow line


class Due:
    """When something is to be done next, on a clock that nobody sets; after failures later and later."""

    def __init__(self, every: float) -> None:
        self._every, self._wait, self._at = every, FIRST_WAIT, 0.0

    def is_now(self, now: float) -> bool:
        """Tell whether it is time."""
        return now >= self._at

    def succeed(self, now: float) -> None:
        """Let it be done again after its usual time."""
        self._at, self._wait = now + self._every, FIRST_WAIT

    def fail(self, now: float) -> None:
        """Let it be tried again, each time after twice as long."""
        self._at, self._wait = now + self._wait, min(2 * self._wait, LAST_WAIT)


class Agent:
    """The agent of one device.

    :param chosen: its settings.
    :param clock: None: the system's.
    """

    def __init__(self, chosen: "Edge", clock: "Clock | None" = None) -> None:
        self.settings = chosen
        self.models = Models(f"{chosen.edge_state}/models", chosen.edge_model)
        self.answers = Answers(f"{chosen.edge_state}/answers.db", chosen.edge_store_bytes)
        self.clock = clock or Clock(_time_of(self.answers.last_body()))
        self.service: Service | None = None
        self.cloud: Cloud | None = None
        if chosen.edge_cloud:
            from edge_cloud import Cloud as Asked  # imported late: few devices ask a cloud

            limits = (chosen.edge_confidence, chosen.edge_cloud_seconds)
            self.cloud = Asked(chosen.edge_cloud, *limits, chosen.edge_token, self.clock.steady)
        self.trouble: dict[str, str] = {}  # by what was to be done
        self._place: Endpoint | Objects | None = None
        self._pull, self._forward = Due(chosen.edge_pull_seconds), Due(chosen.edge_forward_seconds)
        self._report = Due(chosen.edge_report_seconds)
        self._stopped, self._over = allocate_lock(), False
        self._stopped.acquire()
        self._at_work = allocate_lock()  # held by the thread as long as it runs

    def answer(self, message: "Message", response: Response) -> Response:
        """Complete an answer: ask the cloud where the model is unsure, and keep it if it is a prediction.

        An answer with a sequence number is on the disk, and is forwarded once.
        """
        if message.method != "POST" or MODEL not in response.headers or not 200 <= response.status < 300:
            return response
        if self.cloud is not None:
            response = self.cloud.improve(message, response)
        try:
            sequence = str(self.answers.keep(_kept(message, response, self.clock.stamp())))
        except NotKept as error:
            if self.settings.edge_when_full == "refuse":
                return _refusal(response, str(error))
            sequence = "none"
        return Response(response.status, {**response.headers, KEPT: sequence}, response.body)

    def step(self) -> bool:
        """Do what is due; tell whether all of it succeeded."""
        now, done = self.clock.steady(), True
        tasks = ((self._pull, "pull", self._pulled), (self._forward, "forward", self._forwarded))
        for due, name, task in (*tasks, (self._report, "report", self._reported)):
            if self._over or not due.is_now(now):
                continue
            self.trouble.pop(name, None)
            try:
                task()
                due.succeed(self.clock.steady())
            except (FlyweightError, NotKept, OSError, ValueError) as error:
                self.trouble[name], done = str(error), False
                due.fail(self.clock.steady())
        return done

    def start(self) -> None:
        """Do what is due in a thread of its own, if no other process does it for this device."""

        def look() -> None:
            held = None
            while not self._over:
                held = held or self.alone()
                if held is not None:
                    try:
                        self.step()
                    except Exception as error:  # the next look may go better; a device has nobody to restart a thread
                        self.trouble["agent"] = repr(error)
                self._stopped.acquire(True, LOOK)
            if held is not None:
                os.close(held)
            self._at_work.release()

        self._at_work.acquire()
        start_new_thread(look, ())

    def stop(self) -> None:
        """End the thread after what it does now."""
        self._over = True
        if self._stopped.locked():
            self._stopped.release()

    def has_ended(self, seconds: float) -> bool:
        """Wait for the end of the thread, and close what it used; tell whether it has ended."""
        if not self._at_work.acquire(True, seconds):
            return False
        self._at_work.release()
        self.answers.close()
        return True

    def alone(self) -> "int | None":
        """Take the lock of the device's agent.

        :returns: a descriptor, at whose end the lock is free; None if another process has it, or the folder can't be written.
        """
        import fcntl

        try:
            os.makedirs(self.settings.edge_state, 0o700, exist_ok=True)
            held = os.open(f"{self.settings.edge_state}/agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.trouble["agent"] = f"{self.settings.edge_state} can't be made or written: {error.strerror}"
            return None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return None
        return held

    def status(self) -> "dict[str, Any]":
        """Describe the device: its version, its model, its answers, its clock, and what is wrong."""
        state = self.models.state()
        found: dict[str, Any] = {"device": self.settings.edge_device, "flyweight": __version__, **self.clock.stamp()}
        found |= {"model": self._model(), "follows": self.settings.edge_model, "pulled": state["current"]}
        found |= {"refused": state["refused"], "answers": self.answers.counts()}
        if self.cloud is not None:
            found["cloud"] = {"asked": self.cloud.asked, "answered": self.cloud.answered, "trouble": self.cloud.trouble}
        try:
            disk = os.statvfs(self.settings.edge_state)
            found["disk_free"] = disk.f_bavail * disk.f_frsize
        except OSError:
            pass
        found["trouble"] = {name: text for name, text in sorted(self.trouble.items()) if name != "report"}
        return found

    def _model(self) -> "dict[str, str]":
        """Name the model that answers, or say why none does."""
        if self.service is None:
            return {}
        try:
            return self.service.names(self.service.models.get(self.service.settings.model))
        except FlyweightError as error:
            return {"trouble": str(error)}

    def _pulled(self) -> None:
        """Fetch a newer model, within the window, and let it answer.

        :raises FlyweightError: as `Models.pull`.
        """
        service, window = self.service, self.settings.edge_window
        if service is None or not self.settings.edge_model or not self.clock.is_open(window):
            return
        path = self.models.pull(service.settings, lambda: not self._over and self.clock.is_open(window))
        if path:
            before = service.settings.model
            service.models.get(path)
            service.settings = service.settings._replace(model=path)  # as a whole: other threads read it meanwhile
            if before != path:
                service.models.drop(before)

    def _forwarded(self) -> None:
        """Forward batches until none is left.

        :raises FlyweightError: the line is cut, or the other side refuses a batch.
        :raises NotKept: the disk fails.
        """
        place = self._destination()
        while place is not None and not self._over and (batch := self.answers.batch(self.settings.edge_batch)) is not None:
            from edge_forwarding import Copied

            try:
                place.send(self.settings.edge_device, batch)
            except Copied:
                self.answers.rename()
                raise
            self.answers.forwarded(batch)

    def _reported(self) -> None:
        """Send the device's state.

        :raises FlyweightError: the line is cut.
        """
        place = self._destination()
        if place is not None:
            place.report(self.settings.edge_device, strict_json.encode(self.status()))

    def _destination(self) -> "Endpoint | Objects | None":
        if self._place is None and self.settings.edge_forward:
            from edge_forwarding import destination

            self._place = destination(self.settings.edge_forward, self.settings.edge_token, SENT_SECONDS)
        return self._place


def _kept(message: "Message", response: Response, stamp: "dict[str, Any]") -> bytes:
    """Write what is kept of a request: when, what was asked, and what was answered."""
    asked, answered = message.headers, response.headers
    request = {"path": message.path, "content_type": asked.get("content-type", ""), **_content(message.body, asked)}
    answer = {"content_type": answered.get("content-type", ""), **_content(response.body, answered)}
    names = {"model": answered[MODEL], "request_id": answered.get("x-request-id", "")}
    return strict_json.encode({**stamp, **names, "request": request, "answer": answer})


def _content(body: bytes, headers: "Any") -> "dict[str, str]":
    """Write a body as text, or in base64 if it is compressed or no text."""
    encoding = headers.get("content-encoding", "")
    try:
        return {"body": body.decode()} if not encoding else {"encoding": encoding, "base64": _base64(body)}
    except UnicodeDecodeError:
        return {"base64": _base64(body)}


def _base64(body: bytes) -> str:
    from binascii import b2a_base64  # imported late: few bodies are no text

    return b2a_base64(body, newline=False).decode()


def _refusal(response: Response, reason: str) -> Response:
    """Make the answer of a device that can't keep another one."""
    problem = {"type": "urn:flyweight:problem:not_kept", "title": "not kept", "status": StoreFailed.status, "detail": reason}
    body = strict_json.encode({**problem, "request_id": response.headers.get("x-request-id", "")})
    headers = {"content-type": "application/problem+json", "content-length": str(len(body)), "retry-after": "60"}
    kept = {name: response.headers[name] for name in ("x-request-id",) if name in response.headers}
    return Response(StoreFailed.status, {**headers, **kept}, body)


def _time_of(body: bytes) -> float:
    """Read the time of an answer that was kept; 0.0 if none exists."""
    try:
        return float(strict_json.parse(body)["time"])
    except (ValueError, KeyError, TypeError):
        return 0.0

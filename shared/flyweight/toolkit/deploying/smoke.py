"""Compare a live endpoint's answers with the model's recorded answers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from flyweight.toolkit.building.folder import model_of
from flyweight.toolkit.deploying.endpoint import Endpoint, Reply
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.publishing.catalogue import file_at
from flyweight.toolkit.targets.deployment import Question

NOT_LET_IN = (401, 403)
PLAIN = Question()


@dataclass(frozen=True)
class Verdict:
    """Whether the answers are right, and a description."""

    good: bool
    said: str


def smoke(
    endpoint: Endpoint, folder: Path, patience: float = 60.0, pause: Callable[[float], None] = sleep, question: Question = PLAIN
) -> Verdict:  # fmt: skip
    """Request predictions of the model's recorded sample, and retry for `patience` seconds while the endpoint starts.

    :param question: how the endpoint is asked.
    """
    instances, expected, name = _sample(folder)
    body = json.dumps({question.instances: instances}).encode()
    until = monotonic() + patience
    while True:
        verdict = _ask(endpoint, question, body, expected, name)
        # permissions and routes take some seconds to take effect everywhere; a wrong answer is not retried
        if verdict.good or monotonic() >= until or not verdict.said.startswith("not yet"):
            return verdict
        pause(2.0)


def awake(endpoint: Endpoint, question: Question = PLAIN) -> Verdict:
    """Ask a model that is not on this machine whether it is ready: it then answers its own sample as recorded."""
    if not question.ready:
        return Verdict(True, "its folder is not here, and this platform passes on predictions alone, so nothing was compared")
    try:
        reply = endpoint.ask("GET", question.ready, b"", **question.headers)
    except DeployFailed as error:
        return Verdict(False, str(error))
    served = reply.headers.get("x-flyweight-model", "the model")
    if reply.status != 200:
        return Verdict(False, f"GET {question.ready} answered {reply.status}: {_explanation(reply)}")
    return Verdict(True, f"{served} is ready; its folder is not here, so its answers were not compared from here")


def _ask(endpoint: Endpoint, question: Question, body: bytes, expected: list[Any], name: str) -> Verdict:
    headers = {"content_type": "application/json", "accept": "application/json", **question.headers}
    try:
        reply = endpoint.ask("POST", question.predict, body, **headers)
    except DeployFailed as error:
        return Verdict(False, f"not yet: {error}")
    if reply.status != 200:
        return Verdict(False, f"not yet: it answered {reply.status}: {_explanation(reply)}")
    try:
        document = json.loads(reply.body)
        answered = document[question.predictions] if question.predictions else document
    except (ValueError, LookupError, TypeError):
        return Verdict(False, f"its answer contains no predictions: {reply.body[:200]!r}")
    if not alike(answered, expected):
        return Verdict(False, f"it answered {answered!r}, but the recorded answers are {expected!r}")
    served = reply.headers.get("x-flyweight-model", name)
    if served != name:
        return Verdict(False, f"{served} answered, but {name} was deployed")
    return Verdict(True, f"{served} answers its {len(expected)} recorded instances as recorded")


def _explanation(reply: Reply) -> str:
    """Describe a problem document or a gateway's answer, and whether the request did not reach the model."""
    problem = reply.problem
    inner = problem.get("error")  # as Google's and Azure's APIs write errors
    words = [problem.get(name) for name in ("detail", "title", "message", "Message")]
    words += [inner.get("message")] if isinstance(inner, dict) else []
    said = next((str(word) for word in words if word), "nothing")
    if reply.status in NOT_LET_IN:
        return f"{said}: this caller was refused, and the request did not reach the model"
    return said


def _sample(folder: Path) -> tuple[list[Any], list[Any], str]:
    """Read the recorded sample of the model in a built folder, or at its address.

    :raises DeployFailed: the model contains no sample.
    """
    document = file_at(model_of(folder)).document
    sample = document.get("sample")
    if not isinstance(sample, dict) or not sample.get("instances"):
        raise DeployFailed(f"the model in {folder} contains no sample to test with", "pack it with --sample, or use --no-smoke")
    return sample["instances"], sample["predictions"], f"{document['name']}/{document['version']}"


def alike(answered: Any, recorded: Any) -> bool:
    """Tell whether values are equal, or are numbers that differ by the rounding of another Python's sums at most."""
    if isinstance(answered, list) and isinstance(recorded, list):
        return len(answered) == len(recorded) and all(map(alike, answered, recorded))
    if isinstance(answered, float) and isinstance(recorded, (int, float)):
        return math.isclose(answered, recorded, rel_tol=1e-9, abs_tol=1e-9)
    return type(answered) is type(recorded) and bool(answered == recorded)

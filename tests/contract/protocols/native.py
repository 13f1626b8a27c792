"""The native protocol: it asks with the plain requests of `events/http` as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from flyweight.toolkit.targets.runtime import Answer
from tests.contract import matching
from tests.contract.cases import CLASSES, Case

SETTINGS: dict[str, str] = {}
MODEL = {"name": "penguins", "version": "1.0.0"}
TIMING = re.compile(r"init;dur=[\d.]+, load;dur=[\d.]+, predict;dur=[\d.]+")


def request(case: Case) -> dict[str, Any] | None:
    """Ask a case: the plain request itself."""
    return case.request


def differences(case: Case, answer: Answer) -> Iterator[str]:
    """Find all differences between an answer and what the case expects; a direct invocation's answer has no headers."""
    text = answer.body.decode()
    if answer.status != case.status:
        yield f"the status is {answer.status}, not {case.status}: {text}"
    if (document := body(case)) is not None:
        yield from matching.differences(document, json.loads(text, parse_constant=pytest.fail))
    elif not re.fullmatch(case.expected["text"], text):
        yield f"the text is {text}"
    if answer.headers and case.request:
        yield from matching.differences(headers(case), answer.headers, "headers")
        if not TIMING.fullmatch(timing := answer.headers.get("server-timing", "")):
            yield f"server-timing is {timing!r}"


def body(case: Case) -> Any:
    """The document that a case expects, None if it expects a text."""
    if "body" in case.expected or "text" in case.expected:
        return case.expected.get("body")
    if case.fault:
        problem = {"type": f"urn:flyweight:problem:{case.fault}", "title": case.fault.replace("_", " "), "status": case.status}
        errors = {"errors": case.expected["errors"]} if "errors" in case.expected else {}
        return {**problem, "detail": "<string>", "request_id": "<string>", **errors}
    labels = case.expected["predictions"]
    return {"predictions": labels, "probabilities": ["<probabilities>"] * len(labels), "classes": CLASSES, "model": MODEL}


def headers(case: Case) -> dict[str, str]:
    """The headers that a case expects, beside any others."""
    usual = "application/problem+json" if case.fault else "application/json"
    typed = {} if case.status == 204 else {"content-type": usual}  # without a body there is no type, but Flask names one
    return {**typed, "x-request-id": "<string>", **case.expected.get("headers", {})}

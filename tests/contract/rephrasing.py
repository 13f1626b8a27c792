"""Rephrase the requests of `events/http` for a protocol with its own paths, its own JSON body, and errors `{"error": TEXT}`."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flyweight.toolkit.targets.runtime import Answer
from tests.contract import matching
from tests.contract.cases import Case

FEATURES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
# bytes that are wrong for every protocol of JSON
RAW = {
    *("compressed_breaks_off", "deep_nesting", "duplicate_key", "empty_body", "malformed_json", "not_instances", "not_utf8"),
    *("unsupported_type", "unwrapped_instance"),
}
# what native alone has: other media types, an Accept header that counts, NaN that is refused, its own paths
NATIVE = {"form", "nan_token", "not_acceptable", "openapi", "predict_as_csv", "predict_as_ndjson", "predict_root"}
Rephrased = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """The words of a protocol.

    `paths`: from native's paths to its own; `body`: from a case with instances to its own document, None if it can't ask the
    case; `predictions`: from its answer to labels and, where it has them, probabilities; `documents`: what it answers to cases
    without instances; `error`: the form of its errors.
    """

    paths: dict[str, str]
    body: Callable[[Case], Any | None]
    predictions: Callable[[Any], tuple[list[Any], list[Any]]]
    documents: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=lambda: {"error": "<string>"})

    def request(self, case: Case) -> Rephrased | None:
        """Ask a case, None if this protocol can't."""
        plain = case.request
        if plain is None or case.name in NATIVE:
            return None
        path = self._path(plain["path"])
        if path is None or (case.name not in RAW and plain["method"] == "POST" and self._document(case) is None):
            return None
        request = {**plain, "path": path}
        if case.name in RAW or plain["method"] != "POST":
            return request
        document = self._document(case)
        if "body_base64" in plain:
            packed = gzip.compress(json.dumps(document).encode(), mtime=0)
            return {**request, "body_base64": base64.b64encode(packed).decode()}
        return {**request, "body": json.dumps(document).replace("Infinity", "1e999")}

    def differences(self, case: Case, answer: Answer) -> Iterator[str]:
        """Find all differences between an answer and what the case expects."""
        status = 400 if case.status == 422 else case.status
        text = answer.body.decode()
        if answer.status != status:
            yield f"the status is {answer.status}, not {status}: {text}"
        elif case.fault:
            yield from self._faults(case, json.loads(text))
        elif case.predictions:
            labels, probabilities = self.predictions(json.loads(text))
            if labels != case.predictions:
                yield f"the labels are {labels}, not {case.predictions}"
            yield from [f"no probabilities: {row}" for row in probabilities if not matching.is_distribution(row)]
        elif case.expected.get("text") == "":
            yield from [] if text == "" else [f"the body is {text}"]
        else:
            yield from matching.differences(self.documents[case.name], json.loads(text))

    def _path(self, path: str) -> str | None:
        """The path in this protocol's words, in the same spelling: with slashes, percent-encoding, or a prefix."""
        for own, other in self.paths.items():
            for spelling in (lambda p: p, lambda p: f"/{p}/", lambda p: f"/%{ord(p[1]):x}{p[2:]}", lambda p: f"/ml{p}"):
                if len(own) > 1 and path == spelling(own):
                    return str(spelling(other))
        return self.paths.get(path)

    def _document(self, case: Case) -> Any | None:
        return self.body(case) if columns(case) or case.name == "no_instances" else None

    def _faults(self, case: Case, document: Any) -> Iterator[str]:
        """Check that an error is told in the protocol's form, with the instance and the feature that are at fault."""
        yield from matching.differences(self.error, document)
        told = " ".join(_texts(document))
        for error in case.expected.get("errors", [])[:1]:
            hints = [error[key] for key in ("feature", "hint") if key in error and case.name not in RAW]
            words = [hint for hint in hints if not hint.startswith("send null")]  # a column is added, a value is null
            yield from [f"{word!r} is not in {document}" for word in words if word not in told]


def _texts(document: Any) -> Iterator[str]:
    """All texts in a document."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, (dict, list)):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from _texts(inner)


def rows(case: Case) -> list[Any]:
    """The instances of a case, also where its body is a text with numbers that Python can't hold, or is compressed."""
    request = case.request or {}
    if isinstance(request.get("body"), str) and case.name == "infinity":
        return list(json.loads(request["body"])["instances"])
    if case.name == "predict_gzip":
        return list(json.loads(gzip.decompress(base64.b64decode(request["body_base64"])))["instances"])
    return case.instances


def with_rows(name: str) -> Callable[[Case], Any | None]:
    """Make what says a case as rows under a name, and the outputs among the parameters; None if it asks for more."""

    def document(case: Case) -> Any | None:
        plain = (case.request or {}).get("body")
        if isinstance(plain, dict) and "parse_text" in plain:
            return None
        asked = {"parameters": {"outputs": plain["outputs"]}} if isinstance(plain, dict) and "outputs" in plain else {}
        return {name: rows(case), **asked}

    return document


def labels(answers: list[Any]) -> tuple[list[Any], list[Any]]:
    """Read labels, which stand in objects where scores were asked for as well."""
    return [row["prediction"] if isinstance(row, dict) else row for row in answers], []


def columns(case: Case) -> dict[str, list[Any]]:
    """The instances of a case by column; {} if it has none, or if they do not have the same names."""
    named = [row if isinstance(row, dict) else dict(zip(FEATURES, row, strict=False)) for row in rows(case)]
    if not named or any({*row} != {*named[0]} for row in named):
        return {}
    return {name: [row[name] for row in named] for name in named[0]}


def instance_named(case: Case, text: str) -> bool:
    """Whether an error names the instance that is at fault."""
    return all(f"instance {error['instance']}" in text for error in case.expected.get("errors", [])[:1] if "instance" in error)

"""The cases of `events/`, apart from any protocol and any target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples

CLASSES = ["Adelie", "Chinstrap", "Gentoo"]


@dataclass(frozen=True)
class Case:
    """What a request or an event is about, and what is expected of it.

    `request`: the plain request of `events/http`, None for a trigger's; `expected`: the entry of `events/cases.json`.
    """

    name: str
    request: dict[str, Any] | None
    expected: Mapping[str, Any]

    @property
    def status(self) -> int:
        """The status of the answer."""
        status: int = self.expected["status"]
        return status

    @property
    def fault(self) -> str:
        """The code of the error that is expected, "" if the case is answered."""
        return str(self.expected.get("fault", ""))

    @property
    def predictions(self) -> list[str]:
        """The labels that are expected, [] if the case asks for something else."""
        return [*self.expected.get("predictions", [])]

    @property
    def instances(self) -> list[Any]:
        """The instances of a JSON request, by name or in order; [] if it has none, or bytes of another form."""
        document = (self.request or {}).get("body")
        found = document.get("instances", []) if isinstance(document, dict) else document
        return found if isinstance(found, list) else []

    @property
    def objects(self) -> dict[str, list[str]]:
        """The lines of the files that have to be in stores, by their addresses."""
        return dict(self.expected.get("objects", {}))

    def is_of(self, target: str) -> bool:
        """Whether a target has the case: all have requests, each has triggers of its own, or shares another's."""
        place = targets.find(target)
        return "providers" not in self.expected or (place.shares or place.name) in self.expected["providers"]


CASES = {name: Case(name, samples.requests().get(name), expected) for name, expected in samples.cases().items()}
HTTP = [case for case in CASES.values() if "providers" not in case.expected]

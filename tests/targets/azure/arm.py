"""An ARM template and parameters to the resources that they come to: as much of its expressions as `infra/azure` is written in.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

GROUP = "/subscriptions/s/resourceGroups/g"
TOKEN = re.compile(r"\s*('(?:[^']|'')*'|\w+|[(),.])")
PLAIN: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(values),
    "createArray": lambda *values: [*values],
    "createObject": lambda *values: dict(zip(values[::2], values[1::2], strict=True)),
    "empty": lambda value: not value,
    "equals": lambda one, other: one == other,
    "extensionResourceId": lambda scope, kind, *names: _id(scope, kind, names),
    "format": lambda text, *values: re.sub(r"\{(\d+)\}", lambda found: str(values[int(found[1])]), text),
    "greater": lambda one, other: one > other,
    "guid": lambda *values: hashlib.sha256("|".join(values).encode()).hexdigest()[:32],
    "if": lambda condition, one, other: one if condition else other,
    "not": lambda value: not value,
    "null": lambda: None,
    "or": lambda *values: any(values),
    "resourceGroup": lambda: {"id": GROUP, "location": "westeurope"},
    "split": lambda text, mark: text.split(mark),
    "string": str,
    "resourceId": lambda kind, *names: _id(GROUP, kind, names),
    "subscriptionResourceId": lambda kind, *names: _id("/subscriptions/s", kind, names),
    "uniqueString": lambda *values: hashlib.sha256("|".join(values).encode()).hexdigest()[:13],
}


def _id(scope: str, kind: str, names: tuple[str, ...]) -> str:
    provider, *kinds = kind.split("/")
    steps = "/".join(f"{one}/{name}" for one, name in zip(kinds, names, strict=True))
    return f"{scope}/providers/{provider}/{steps}"


class Template:
    """A template with parameters given; those that are left out have their defaults."""

    def __init__(self, document: dict[str, Any], **given: Any) -> None:
        self._document, self._given = document, given

    def resources(self) -> list[dict[str, Any]]:
        """Those whose condition holds, each expression as what it comes to, and under `id` where each will be."""
        found = [self.value(one) for one in self._document["resources"] if self.value(one.get("condition", True))]
        return [{**one, "id": self._place(one)} for one in found]

    def value(self, written: Any) -> Any:
        """What stands in the template, with its expressions computed."""
        if isinstance(written, dict):
            return {self.value(key): self.value(inner) for key, inner in written.items()}
        if isinstance(written, list):
            return [self.value(inner) for inner in written]
        if isinstance(written, str) and written.startswith("[") and written.endswith("]"):
            tokens = TOKEN.findall(written[1:-1])
            found = self._expression(tokens)
            assert not tokens, written
            return found
        return written

    def _place(self, one: dict[str, Any]) -> str:
        scope = f"{GROUP}/providers/{one['scope']}" if "scope" in one else GROUP
        return _id(scope, one["type"], tuple(one["name"].split("/")))

    def _expression(self, tokens: list[str]) -> Any:
        first = tokens.pop(0)
        if first.startswith("'"):
            return first[1:-1].replace("''", "'")
        if first.isdigit():
            return int(first)
        assert tokens.pop(0) == "("
        arguments = []
        while tokens[0] != ")":
            arguments.append(self._expression(tokens))
            if tokens[0] == ",":
                tokens.pop(0)
        tokens.pop(0)
        found = self._called(first, arguments)
        while tokens and tokens[0] == ".":
            _, name = tokens.pop(0), tokens.pop(0)
            found = found[name] if isinstance(found, dict) else f"{found}.{name}"
        return found

    def _called(self, name: str, arguments: list[Any]) -> Any:
        if name == "parameters":
            described = self._document["parameters"][arguments[0]]
            return self._given[arguments[0]] if arguments[0] in self._given else self.value(described["defaultValue"])
        if name == "variables":
            return self.value(self._document["variables"][arguments[0]])
        if name == "reference":  # known when it is there; until then, a property of it
            return arguments[0]
        return PLAIN[name](*arguments)

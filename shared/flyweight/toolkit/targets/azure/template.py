"""An ARM template and parameters to what it would create: its conditions and its names evaluated."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flyweight.toolkit.targets.deployment import Resource

TOKENS = re.compile(r"\.\w+|\w+|'[^']*'|[(),]")
LATER = "…"  # stands for what only Azure can tell: an identifier, a hash of it


def pieces(template: Mapping[str, Any], settings: Mapping[str, str]) -> list[Resource]:
    """The resources that these parameters make, each with the condition that it is made on.

    A template has them as a list in older languages, and as an object by symbolic names in newer.
    """
    listed, found = template["resources"], []
    expressions = _Expressions(settings, template.get("variables", {}))
    for one in listed.values() if isinstance(listed, dict) else listed:
        condition = str(one.get("condition", ""))
        if not condition or expressions.of(condition):
            found.append(Resource(str(expressions.of(one["name"])), str(one["type"]), _readable(condition)))
    return found


def _readable(condition: str) -> str:
    """A condition as people write it: the names of the parameters that it asks for."""
    plain = re.sub(r"parameters\('(\w+)'\)", r"\1", condition.strip("[]"))
    plain = re.sub(r"not\(empty\((\w+)\)\)", r"\1", plain)
    plain = re.sub(r"empty\((\w+)\)", r"no \1", plain)
    called = re.fullmatch(r"(and|or)\(([^()]*)\)", plain)
    if called:
        return called[2].replace(", ", f" {called[1]} ")
    return plain


@dataclass(frozen=True)
class _Expressions:
    """What an expression in brackets says, by parameters and variables; other texts say themselves."""

    settings: Mapping[str, str]
    variables: Mapping[str, Any]

    def of(self, text: Any) -> Any:
        """The value of a text that may be an expression."""
        if not isinstance(text, str) or not (text.startswith("[") and text.endswith("]")):
            return text
        return self._value(deque(TOKENS.findall(text[1:-1])))

    def _value(self, tokens: deque[str]) -> Any:
        """A call of a function with what is asked of its result, or a text."""
        word, arguments = tokens.popleft(), []
        if word.startswith("'"):
            return word.strip("'")
        tokens.popleft()  # the bracket
        while tokens[0] != ")":
            arguments.append(self._value(tokens))
            if tokens[0] == ",":
                tokens.popleft()
        tokens.popleft()
        while tokens and tokens[0].startswith("."):
            tokens.popleft()
        return self._called(word, arguments)

    def _called(self, word: str, arguments: list[Any]) -> Any:
        """The value of a function's call.

        :raises ValueError: an expression uses a function that is not understood here.
        """
        if word == "parameters":
            value = self.of(self.settings.get(arguments[0], ""))
            return {"true": True, "false": False}.get(value.lower(), value)
        if word == "variables":
            return self.of(self.variables[arguments[0]])
        if word in ("and", "or"):
            return (all if word == "and" else any)(arguments)
        if word in ("not", "empty"):
            return not arguments[0]
        if word == "if":
            return arguments[1] if arguments[0] else arguments[2]
        if word == "format":
            return re.sub(r"\{(\d+)\}", lambda found: str(arguments[1 + int(found[1])]), arguments[0])
        if word == "resourceId":
            return "/".join(arguments[1:])
        if word == "guid":  # names a role that is given: on what, to whom, which
            role = next((name for name, value in self.variables.items() if value == arguments[-1]), LATER)
            return f"{role} on {arguments[0]}"
        if word in ("uniqueString", "resourceGroup"):
            return LATER
        raise ValueError(f"{word} stands in an expression, which is not understood here")

"""Parameters for an ARM template: values come in, what Azure would refuse of them goes out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

# a parameter, and those that it asks for: Azure would say so once half of the resources are there
ASKS_FOR = {
    "keyVaultUri": ("keyName", "identityId"),
    "keyName": ("keyVaultUri",),
    "certificateVaultId": ("certificateSecret", "domain"),
    "certificateSecret": ("certificateVaultId",),
    "corsCredentials": ("corsOrigins",),
}
OFF = ("", "false")
TRIGGERS = ("serviceBusQueue", "eventHub", "scoreFiles")  # what calls a function other than by HTTP


def lacking(given: Mapping[str, str]) -> list[str]:
    """What parameters ask for that is not given."""
    return [
        f"{name} asks for {other}"
        for name, others in ASKS_FOR.items()
        if given.get(name, "") not in OFF
        for other in others
        if given.get(other, "") in OFF
    ]


def clashes(given: Mapping[str, str]) -> list[str]:
    """What parameters ask for that a custom handler, which answers HTTP alone, does not serve."""
    asked = [name for name in TRIGGERS if given.get(name, "") not in OFF] if given.get("client") == "own" else []
    return [f"client=own answers HTTP alone, and {name} asks for another trigger" for name in asked]


def refusals(described: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """What is wrong with values, which Azure says in part only once the resource group is there."""
    unknown = [name for name in given if name not in described]
    if unknown:
        near = [f" ({', '.join(close)}?)" if (close := get_close_matches(name, described)) else "" for name in unknown]
        return [f"the template has no parameter {name}{hint}" for name, hint in zip(unknown, near, strict=True)]
    return [f"{name} is {what}, got {given[name]!r}" for name in given if (what := _expected(described[name], given[name]))]


def explanations(described: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """Return the template's descriptions of refused parameters; of unknown ones, those of parameters with similar names."""
    unknown = [name for name in given if name not in described]
    similar = [near for name in unknown for near in get_close_matches(name, described)]
    names = similar if unknown else [name for name in given if _expected(described[name], given[name])]
    return [f"{name}: {described[name].get('metadata', {}).get('description', '')}" for name in dict.fromkeys(names)]


def _expected(parameter: Mapping[str, Any], value: str) -> str:
    """What a value should have been, or "" if it is."""
    if "allowedValues" in parameter:
        allowed = [str(one) for one in parameter["allowedValues"]]
        return "" if value in allowed else f"one of {', '.join(allowed)}"
    if parameter["type"] == "bool":
        return "" if value in ("true", "false") else "true or false"
    if parameter["type"] == "int":
        least, most = parameter.get("minValue", -math.inf), parameter.get("maxValue", math.inf)
        return "" if re.fullmatch(r"-?\d+", value) and least <= int(value) <= most else f"a number from {least} to {most}"
    if parameter["type"] == "object":
        return "" if _is_object(value) else 'a JSON object, as {"team": "ml"}'
    if value.startswith("@"):
        return "a text that does not begin with @, which az would take for a file"
    least, most = parameter.get("minLength", 0), parameter.get("maxLength", math.inf)
    return "" if least <= len(value) <= most else f"a text of {least} to {most} letters"


def _is_object(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False

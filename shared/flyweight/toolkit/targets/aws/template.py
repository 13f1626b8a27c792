"""Evaluate a SAM template with parameters: the resources that it creates, and the parameters that it refuses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from flyweight.toolkit.targets.deployment import Resource


def read(path: Path) -> dict[str, Any]:
    """Read the template, with short forms of functions (`!Ref`) converted to long ones (`{"Ref": ...}`)."""
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(text, _Loader)
    return template


def settings(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter with its value in `parameters`, or its default."""
    return {**{name: str(one.get("Default", "")) for name, one in template["Parameters"].items()}, **parameters}


def pieces(template: Mapping[str, Any], parameters: Mapping[str, str]) -> list[Resource]:
    """List the resources that these parameters create, each with its condition."""
    values = settings(template, parameters)
    found = []
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition", "")
        if not condition or _true({"Condition": condition}, template, values):
            found.append(Resource(name, resource["Type"], condition))
    return found


def refusals(template: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """List the errors that CloudFormation would report for these values, but only after all files are uploaded."""
    described = template["Parameters"]
    unknown = [name for name in parameters if name not in described]
    if unknown:
        near = [f" ({', '.join(close)}?)" if (close := get_close_matches(name, described)) else "" for name in unknown]
        return [f"the template has no parameter {name}{hint}" for name, hint in zip(unknown, near, strict=True)]
    return [
        f"{name} is {what}, got {value!r}" for name, value in parameters.items() if (what := _expected(described[name], value))
    ]


def broken_rules(template: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """List the template's rules that these values, with the defaults of the others, break."""
    values = settings(template, parameters)
    rules = [rule for rule in template.get("Rules", {}).values() if _true(rule["RuleCondition"], template, values)]
    asserted = [one for rule in rules for one in rule["Assertions"]]
    return [str(one["AssertDescription"]) for one in asserted if not _true(one["Assert"], template, values)]


def _expected(parameter: Mapping[str, Any], value: str) -> str:
    """Describe the values that a parameter accepts, or "" if it accepts this one."""
    if "AllowedValues" in parameter:
        allowed = [str(one) for one in parameter["AllowedValues"]]
        return "" if value in allowed else f"one of {', '.join(one or 'nothing' for one in allowed)}"
    if parameter["Type"] == "Number":
        least, most = parameter.get("MinValue", -math.inf), parameter.get("MaxValue", math.inf)
        between = f"a number from {least} to {most}" if most < math.inf else f"a number from {least} on"
        return "" if re.fullmatch(r"-?\d+(\.\d+)?", value) and least <= float(value) <= most else between
    pattern = parameter.get("AllowedPattern", "")
    return "" if not pattern or re.fullmatch(pattern, value) else f"written as {pattern} says"


def _true(value: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    ((function, argument),) = value.items()
    if function == "Condition":
        return _true(template["Conditions"][argument], template, values)
    if function == "Fn::Not":
        return not _true(argument[0], template, values)
    if function == "Fn::And":
        return all(_true(one, template, values) for one in argument)
    if function == "Fn::Or":
        return any(_true(one, template, values) for one in argument)
    if function == "Fn::Contains":
        return _text(argument[1], template, values) in argument[0]
    left, right = (_text(one, template, values) for one in argument)  # Fn::Equals
    return left == right


def _text(value: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The text of a value.

    :raises ValueError: a condition uses a function that is not understood here.
    """
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Ref":
        return values.get(argument, argument)
    if function == "Fn::FindInMap":
        kind, first, second = (_text(one, template, values) for one in argument)
        return str(template["Mappings"][kind][first][second])
    raise ValueError(f"{function} stands in a condition, which is not understood here")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as CloudFormation writes it; by libyaml where PyYAML has it, which is ten times as fast."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)

"""A SAM template and parameters to what it would create: its conditions evaluated, its defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flyweight.toolkit.deploying.target import Piece


def read(path: Path) -> dict[str, Any]:
    """The template, short forms of functions (`!Ref`) as long ones (`{"Ref": ...}`)."""
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    return template


def settings(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter with its value: what is given, or its default."""
    return {**{name: str(one.get("Default", "")) for name, one in template["Parameters"].items()}, **given}


def pieces(template: Mapping[str, Any], given: Mapping[str, str]) -> list[Piece]:
    """The resources that these parameters make, each with the condition that it is made on."""
    told = settings(template, given)
    found = []
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition", "")
        if not condition or _true({"Condition": condition}, template, told):
            found.append(Piece(name, resource["Type"], condition))
    return found


def _true(value: Any, template: Mapping[str, Any], told: Mapping[str, str]) -> bool:
    ((function, argument),) = value.items()
    if function == "Condition":
        return _true(template["Conditions"][argument], template, told)
    if function == "Fn::Not":
        return not _true(argument[0], template, told)
    if function == "Fn::And":
        return all(_true(one, template, told) for one in argument)
    if function == "Fn::Or":
        return any(_true(one, template, told) for one in argument)
    left, right = (_text(one, template, told) for one in argument)  # Fn::Equals
    return left == right


def _text(value: Any, template: Mapping[str, Any], told: Mapping[str, str]) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Ref":
        return told.get(argument, argument)
    if function == "Fn::FindInMap":
        kind, first, second = (_text(one, template, told) for one in argument)
        return str(template["Mappings"][kind][first][second])
    raise ValueError(f"{function} stands in a condition, which is not understood here")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML as CloudFormation writes it."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)

"""Bicep read with tree-sitter: enough of the language to compare a template with its ARM twin.

Objects, arrays and literals become Python's own; any other expression becomes an `Expression`, of which only the names count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True)
class Expression:
    """What is computed at deployment: its text, and the declared names that it mentions."""

    text: str
    names: frozenset[str]


@dataclass(frozen=True)
class Declaration:
    """One `param`, `var`, `resource` or `output`: what stands right of it, and the decorators above it."""

    kind: str
    name: str
    type: str  # of a resource with its version, of a parameter or output the word
    value: Any
    decorators: dict[str, Any]


def declarations(source: str) -> list[Declaration]:
    """Everything that a Bicep file declares, in order.

    :raises ValueError: the parser found an error.
    """
    root = Parser(Language(tree_sitter_bicep.language())).parse(source.encode()).root_node
    if root.has_error:
        raise ValueError("this is not Bicep")
    found, decorators = [], {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = dict(_decorator(child.named_children[0]) for child in node.named_children)
        elif node.type.endswith("_declaration"):
            found.append(_declaration(node, decorators))
            decorators = {}
        elif node.type != "comment":
            raise ValueError(f"unknown statement {node.type}")
    return found


def _declaration(node: Node, decorators: dict[str, Any]) -> Declaration:
    kind = node.type.removesuffix("_declaration")
    name, *rest = [child for child in node.named_children if child.type != "comment"]
    named = ""
    if kind != "variable":
        first = rest.pop(0)
        named = _value(first) if kind == "resource" else _text(first)
    return Declaration(kind, _text(name), named, _value(rest[0]) if rest else None, decorators)


def _decorator(call: Node) -> tuple[str, Any]:
    function, arguments = call.named_children
    return _text(function), _value(arguments.named_children[0])


def _value(node: Node) -> Any:
    children = [child for child in node.named_children if child.type != "comment"]
    if node.type == "object":
        return {_key(child.named_children[0]): _value(child.named_children[1]) for child in children}
    if node.type == "if_statement":  # a resource on a condition, which ARM has among its properties
        return {"condition": Expression(_text(children[0]), frozenset(_names(children[0]))), **_value(children[1])}
    if node.type == "array":
        return [_value(child) for child in children]
    if node.type == "boolean":
        return _text(node) == "true"
    if node.type == "number":
        return int(_text(node))
    if node.type == "string" and all(child.type == "string_content" and not child.named_children for child in children):
        return _text(node)[1:-1]
    return Expression(_text(node), frozenset(_names(node)))


def _key(node: Node) -> Any:
    value = _value(node)
    return value.text if isinstance(value, Expression) else value


def _names(node: Node) -> set[str]:
    """The names that an expression takes from elsewhere: not the functions it calls, nor the properties and keys it names."""
    if node.type == "identifier":
        return {_text(node)}
    if node.type == "call_expression":
        return _names(node.named_children[1])
    if node.type == "object_property":
        return _names(node.named_children[1])
    return {name for child in node.named_children for name in _names(child)}


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()

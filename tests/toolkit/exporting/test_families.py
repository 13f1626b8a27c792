"""What a form has for an op is found by the op's name, and each row of its tables is about an op that exists."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight import ops
from flyweight.toolkit.exporting import forms
from flyweight.toolkit.exporting.export import find
from flyweight.toolkit.exporting.families import function_of
from flyweight.toolkit.exporting.planned import NotExported, Step, Value


def step(name: str) -> Any:
    return Step(name, SimpleNamespace(), SimpleNamespace(kinds="n"), (0,), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", forms())
def test_each_row_is_about_an_op_that_exists(form: str) -> None:
    if form == "litert":
        pytest.importorskip("ai_edge_litert")
    if form == "onnx":
        pytest.importorskip("onnx")
    package = import_module(f"flyweight.toolkit.exporting.{form}.nodes")
    names = [
        f"{module.name}.{word}"
        for module in iter_modules(package.__path__)
        for word in import_module(f"{package.__name__}.{module.name}").NODES
    ]
    assert "scale.center" in names
    assert all(ops.find(name) for name in names)
    assert find(form).suffix.startswith(".")


@pytest.mark.parametrize("name", ["scale.nothing", "nothing.center"])
def test_an_op_that_a_form_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(NotExported, match=f"the op {name}: exports to C do not have it"):
        function_of("flyweight.toolkit.exporting.c.nodes", "NODES", step(name), "C")


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotExported) as refused:
        find("pmml")
    assert refused.value.next_step == "choose one of c, litert, onnx"


def test_a_value_knows_the_place_of_a_column_among_its_kind() -> None:
    value = Value("nsns")
    assert [value.place(column) for column in range(4)] == [0, 0, 1, 1]

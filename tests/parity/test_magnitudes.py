"""Magnitudes are those of ops that exist: each family's table names ops of that family."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest

from flyweight.engines.plan import Plan
from flyweight.models import file as model_file
from flyweight.toolkit.packing import magnitudes
from tests.ops.hostile import document, f64, raw

FAMILIES = [module.name for module in iter_modules(magnitudes.__path__)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_names_ops_of_its_family(family: str) -> None:
    ops = import_module(f"flyweight.ops.{family}").OPS
    table = import_module(f"flyweight.toolkit.packing.magnitudes.{family}").MAGNITUDES
    assert table and {*table} <= {*ops}
    assert all(magnitudes.find(f"{family}.{name}") is function for name, function in table.items())


@pytest.mark.parametrize("name", ["labels.argmax", "linear.unknown", "nothing.affine", "linear"])
def test_an_op_without_a_function_sums_nothing(name: str) -> None:
    assert magnitudes.find(name) is None


def test_a_magnitude_is_the_sum_of_the_terms_sizes() -> None:
    arrays = {"weights": f64(3.0, -2.0).reshape(1, 2), "intercept": f64(-1.0)}
    node = {"op": "linear.affine", "inputs": ["input"], "output": "y", "arrays": {name: name for name in arrays}}
    (op,) = Plan(model_file.parse(raw(document([node], "y"), arrays))).ops
    affine = magnitudes.find("linear.affine")
    assert affine is not None
    assert affine(op, [10.0, 10.0]) == [51.0]

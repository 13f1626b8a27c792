"""Handlers' modules, loaded by path as the clouds load them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType

import pytest

from flyweight.toolkit import resources


@pytest.fixture(scope="session")
def load() -> Callable[[str, str], ModuleType]:
    """From a provider and a file's name to its module, which does not stay in `sys.modules`."""

    def module(provider: str, name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, resources.folder("handlers") / provider / f"{name}.py")
        assert spec and spec.loader
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    return module

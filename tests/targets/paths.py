"""A provider's handler on the path, as the provider has it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from flyweight.toolkit import resources


def on_path(provider: str) -> Any:
    """A fixture for all tests of a module: the handler's folder is on the path, and its modules are gone afterwards."""

    @pytest.fixture(scope="module", autouse=True)
    def folder() -> Iterator[None]:
        place = str(resources.folder("handlers") / provider)
        sys.path.insert(0, place)
        yield
        sys.path.remove(place)
        for name in [name for name, module in sys.modules.items() if (getattr(module, "__file__", "") or "").startswith(place)]:
            del sys.modules[name]

    return folder

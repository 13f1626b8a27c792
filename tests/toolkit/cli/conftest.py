"""The command line, called in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from flyweight.toolkit.cli import main


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run `flyweight` with these arguments; an error that is not of ours is raised."""

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)

    return call

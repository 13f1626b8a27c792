"""Every line that a dry run prints is one that a shell reads; `tests/targets` has each provider's own tools read it too."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.toolkit.deploying.stand_in import deployed


@pytest.mark.parametrize("target", deployed())
def test_every_line_is_one_that_a_shell_reads(target: str, printed: Callable[[str], list[str]]) -> None:
    done = subprocess.run(["bash", "-n"], input="\n".join(printed(target)), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")

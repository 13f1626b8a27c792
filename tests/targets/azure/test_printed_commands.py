"""Every line that a dry run prints is one that az and func take, as far as that can be told without an account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.targets.azure.azure_tools import EVERYWHERE, EXTENSIONS, OPTIONS, asked, strange


def test_az_and_func_have_each_option(printed: Callable[[str], list[str]]) -> None:
    lines = printed("azure")
    assert {line.split()[0] for line in lines} == {"az", "func"}
    assert [line for line in lines if strange(line)] == []


@pytest.mark.needs("az")
@pytest.mark.parametrize("command", [one for one in OPTIONS if one.startswith("az ") and not one.startswith(EXTENSIONS)])
def test_the_azure_cli_itself_has_what_we_wrote_down(command: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.getbasetemp() / "azure"
    place.mkdir(exist_ok=True)
    assert OPTIONS[command] | EVERYWHERE <= asked(command, place)

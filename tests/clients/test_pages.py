"""The clients' code on the pages of protocols runs, and prints what stands beside it."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import Run
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("page", "client", "printed"),
    [
        ("open_inference", "triton", "[b'Gentoo']"),
        ("kserve", "kserve", "{'predictions': ['Gentoo']}"),
        ("tensorflow_serving", "ovms", "[1 0]"),
        ("mlflow", "mlflow", "['Gentoo']"),
        ("sagemaker", "sagemaker", "Gentoo"),
        ("vertex", "vertex", "{'predictions': ['Gentoo']}"),
        ("mcp", "mcp", "Gentoo"),
        ("graphql", "gql", "[{'prediction': 'Gentoo'}]"),
    ],
)
def test_code_on_a_page_prints_what_the_page_says(page: str, client: str, printed: str, run: Run) -> None:
    text = (ROOT / "docs" / "protocols" / f"{page}.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert f"# {printed}" in program
    assert run(client, program=program).splitlines()[-1] == printed  # some clients say more before

"""The requests on the pages of protocols get the answers that stand there, and the pages stay short."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flyweight import protocols
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
from tests.conftest import ROOT
from tests.docs.answers import alike

PAGES = [path for path in sorted((ROOT / "docs" / "protocols").glob("*.md")) if path.stem not in ("README", "differences")]
BLOCK = re.compile(r"^```bash\n(curl .*?)^```\n\n```json\n(.*?)^```", re.DOTALL | re.MULTILINE)
LONGEST = 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_request_gets_the_answer_that_stands_there(page: Path, penguins: Path) -> None:
    service = Service(Settings(str(penguins)), lambda entry: None)
    ((command, answer),) = BLOCK.findall(page.read_text())
    _, url, _, body = shlex.split(command)
    headers = {"content-type": "application/x-www-form-urlencoded"}  # as curl -d sends it
    response = service.answer(Request("POST", urlsplit(url).path, headers, body.encode()))
    assert response.status == 200 and alike(json.loads(response.body), json.loads(answer)), response.body


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_about_a_protocol_that_exists(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= LONGEST
    assert page.stem in protocols.names() or page.stem == "sql"  # one page for all engines


def test_the_list_has_every_page() -> None:
    text = (ROOT / "docs" / "protocols" / "README.md").read_text()
    assert [page.name for page in PAGES if f"({page.name})" not in text] == []

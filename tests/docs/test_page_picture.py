"""The picture of the page is shown with words for those who do not see it, and figures beside it are the page's own."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import pytest

from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
from tests.conftest import ROOT
from tests.docs.page_picture import PICTURE, draw

PAGE = (ROOT / "docs" / "serving.md").read_text()


def width(path: Path) -> int:
    """The width of a PNG file in pixels: https://www.w3.org/TR/png-3/#11IHDR."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int(struct.unpack(">I", head[16:20])[0])


def test_the_picture_is_shown_with_words() -> None:
    (words,) = re.findall(r"!\[(.*)\]\(images/docs_page.png\)", PAGE)
    assert len(words) > 50 and width(PICTURE) == 1200


def test_the_size_is_as_the_page_says(penguins: Path) -> None:
    plain, packed = map(float, re.findall(r"document of (\d+) kB \(([\d.]+) kB in gzip\)", PAGE)[0])
    body = Service(Settings(str(penguins)), lambda entry: None).answer(Request("GET", "/docs", {}, b"")).body
    assert len(body) / 1000 == pytest.approx(plain, rel=0.15)
    assert len(gzip.compress(body)) / 1000 == pytest.approx(packed, rel=0.15)


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_the_command_draws_the_picture(tmp_path: Path) -> None:
    draw(tmp_path / "page.png")
    assert width(tmp_path / "page.png") == 1200

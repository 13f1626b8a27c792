"""Draw the page of the penguins model with its answer: `python -m tests.docs.page_picture` writes docs/images/docs_page.png."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import flyweight
from flyweight.toolkit.running.server import Server
from tests import fitted
from tests.services.browser import Browser

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "docs_page.png"

BILL_LENGTH = "45.9"  # of a penguin between two species


def draw(path: Path, width: int = 1200, scheme: str = "light") -> None:
    """Pack the model, serve it, ask it from its page, and write a picture of the page.

    :param width: of the page in pixels.
    :param scheme: light or dark.
    """
    estimator, sample = fitted.penguins()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "penguins.safetensors")
        flyweight.pack(estimator, model, sample=sample, name="penguins", version="1.0.0")
        with Server(model, "127.0.0.1", 0) as server, Browser(width, 900) as browser:
            browser.prefer(color_scheme=scheme, reduced_motion="reduce")
            browser.open(f"{server.url}/docs")
            browser.evaluate("document.getElementById('f1').focus(); document.getElementById('f1').select()")
            for key in BILL_LENGTH:
                browser.press(key)
            browser.press("Enter")
            browser.wait("document.querySelector('#answer table') !== null")
            browser.picture(path)


if __name__ == "__main__":
    path, width, scheme = [*sys.argv[1:], *[str(PICTURE), "1200", "light"][len(sys.argv) - 1 :]]
    draw(Path(path), int(width), scheme)

"""Bodies, paths and methods that schemathesis makes of an OpenAPI document get answers that the document allows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import SCRIPTS, environment
from tests.conftest import ROOT

DOCUMENT = ROOT / ".tools" / "open_inference_rest.yaml"
SOURCE = "https://raw.githubusercontent.com/kserve/open-inference-protocol/main/specification/protocol/open_inference_rest.yaml"


def explored(url: str, *paths: Path) -> Any:
    """Run schemathesis, and read what it found."""
    words = [str(environment("schemathesis")), "-P", str(SCRIPTS / "schemathesis.py"), url, *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_open_inference_protocol_is_answered_as_its_document_says(served: Callable[..., str]) -> None:
    if not DOCUMENT.exists():
        pytest.skip(f"the protocol's document is not here; run: curl -o {DOCUMENT.relative_to(ROOT)} {SOURCE}")
    found = explored(served(), DOCUMENT)
    assert found["status"] == 0, found["shown"]


@pytest.mark.slow
def test_our_own_document_says_what_is_answered(served: Callable[..., str]) -> None:
    found = explored(served())
    assert found["status"] == 0, found["shown"]

"""The lines of `docs/frameworks.md` make applications that answer, each asked by its framework's own client."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from werkzeug.test import Client as WsgiClient

import flyweight
from flyweight.toolkit.events import samples
from flyweight.toolkit.scaffold import frameworks
from tests.conftest import ROOT
from tests.toolkit.frameworks.conftest import django

PAGE = (ROOT / "docs" / "frameworks.md").read_text()
BLOCKS = re.findall(r"^\*\*(\w+).*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BODY = samples.requests()["predict"]["body"]

__all__ = ["django"]


@pytest.mark.parametrize(("framework", "lines"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_its_lines_are_an_application(framework: str, lines: str, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(penguins.parent)
    made: dict[str, Any] = {"__name__": "page"}
    exec(lines, made)
    if "urlpatterns" in made:
        from django.test import Client, override_settings

        with override_settings(ROOT_URLCONF=tuple(made["urlpatterns"])):
            answer: Any = Client().post("/penguins/predict", BODY, content_type="application/json").json()
    elif "application" in made:
        answer = WsgiClient(made["application"]).post("/predict", json=BODY).json
    elif framework == "Flask":
        answer = made["app"].test_client().post("/penguins/predict", json=BODY).json
    else:
        answer = TestClient(made["app"]).post("/penguins/predict", json=BODY).json()
    assert answer["predictions"] == ["Adelie"]


def test_it_has_three_lines_at_most_beside_imports_for_each() -> None:
    assert [name for name, _ in BLOCKS] == ["FastAPI", "Starlette", "Flask", "Django", "Any"]
    for name, lines in BLOCKS:
        assert len([line for line in lines.splitlines() if line and "import" not in line]) <= 3, name


def test_it_names_every_mount_and_every_project() -> None:
    for name in ("asgi", "wsgi", "router", "blueprint", "urls"):
        assert f"flyweight.{name}(" in PAGE and name in flyweight.__all__
    assert all(f" {name}" in PAGE for name in frameworks())

"""A built page answers in node as every case expects, and in Chromium through its form, under the strictest policy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import flyweight
from flyweight.toolkit.building import build
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.targets import pyodide
from flyweight.toolkit.targets.browser.job import Job
from flyweight.toolkit.targets.requests import body_of
from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import HTTP
from tests.contract.protocols import native
from tests.services.browser import Browser
from tests.targets.browser.host import Host

TOLD = "document.getElementById('told').textContent"
needs_pyodide = pytest.mark.needs("pyodide")


@pytest.fixture
def without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which node is not found."""
    monkeypatch.setattr(pyodide.shutil, "which", lambda name: None)


@pytest.mark.slow
@needs_pyodide
def test_node_answers_every_request_as_its_case_expects(built: Callable[[str], Path]) -> None:
    cases = [case for case in HTTP if native.request(case) is not None]
    requests = [native.request(case) for case in cases]
    texts = [one for one in requests if one is not None]
    assert len(texts) > 30
    asked = [(one["method"], one["path"], one.get("headers", {}), body_of(one).decode("latin-1")) for one in texts]
    answers = Job(built("browser")).exchange(asked)
    for case, (status, headers, body) in zip(cases, answers, strict=True):
        answer = Answer(status, headers, body.encode("latin-1"), 0.0)
        assert not [*native.differences(case, answer)], case.name


def test_the_page_names_its_files_and_nothing_else(built: Callable[[str], Path]) -> None:
    folder = built("browser")
    text = (folder / "index.html").read_text()
    assert re.findall(r'(?:src|href)="([^"#]*)"', text) == ["data:,", "page.css", "page.mjs", "form.js"]
    assert "<style>" not in text and "curl" not in text and "Protocols that are on" not in text
    assert not {path.suffix for path in folder.rglob("*")} & {".py", ".pyc"}
    policy = re.findall(r'content="(default-src[^"]*)"', text)[0]
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "") and "unsafe-inline" not in policy


@needs_pyodide
def test_what_is_loaded_is_as_small_as_is_said(built: Callable[[str], Path]) -> None:
    folder = built("browser")
    assert json.loads((folder / "pyodide.json").read_text()) == {"version": pyodide.VERSION, "address": "pyodide/"}
    assert {path.name for path in (folder / "pyodide").iterdir()} == {*pyodide.FILES}
    own = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.parent.name != "pyodide")
    assert own < 250_000, "beside Pyodide: the core, a small model and the page"


def test_without_node_the_page_loads_pyodide_from_its_address(without_node: None, penguins: Path, tmp_path: Path) -> None:
    folder = build("browser", penguins, tmp_path / "page").folder
    assert json.loads((folder / "pyodide.json").read_text())["address"] == pyodide.ADDRESS
    assert not (folder / "pyodide").exists()
    for place in ("index.html", "_headers"):
        policy = (folder / place).read_text()
        assert f"script-src 'self' 'wasm-unsafe-eval' {pyodide.ADDRESS};" in policy
        assert f"connect-src 'self' {pyodide.ADDRESS};" in policy


def test_files_of_another_pyodide_are_refused(tmp_path: Path) -> None:
    for name in pyodide.FILES:
        (tmp_path / name).write_text("another")
    with pytest.raises(BuildFailed, match="is not that of Pyodide") as refused:
        pyodide.copy(tmp_path, tmp_path / "goal")
    assert f"npm install pyodide@{pyodide.VERSION}" in refused.value.next_step


def test_a_model_that_needs_packages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("onnxruntime>=1.20\n")
    (tmp_path / pyodide.MODEL).write_bytes(b"")
    with pytest.raises(BuildFailed, match="a page has Python alone, and this needs onnxruntime"):
        pyodide.refuse_unfit(tmp_path, "a page")


def test_packages_are_named_without_the_comments_of_their_list(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "requirements.txt").write_text("# the model's packages\n\nnumpy==2.5.5\nscikit-learn==1.9.1\n")
    with pytest.raises(BuildFailed, match=r"this needs numpy==2\.5\.5, scikit-learn==1\.9\.1$"):
        pyodide.refuse_unfit(tmp_path, "a page")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


@pytest.mark.slow
@pytest.mark.needs("pyodide", "chromium")
def test_the_form_is_answered_in_the_browser_and_no_request_leaves_the_host(
    built: Callable[[str], Path], browser: Browser, penguins: Path
) -> None:
    with Host(built("browser")) as url:
        browser.open(url)
        browser.wait("typeof flyweightSend === 'function'")
        browser.evaluate("document.querySelector('#form button[type=submit]').click()")
        browser.wait("document.querySelector('#answer table') !== null")
        told = browser.evaluate(TOLD)
        asked = [one for one in browser.asked if not one.startswith("data:")]
        assert {one.partition("?")[0].removeprefix(url).split("/")[0] for one in asked} >= {"core.zip", "pyodide", "form.js"}
        assert all(one.startswith(url) for one in asked), asked
        before = len(browser.asked)
        browser.evaluate("document.querySelector('#answer').replaceChildren(); document.querySelector('#form button').click()")
        browser.wait("document.querySelector('#answer table') !== null")
        assert len(browser.asked) == before, "an answer asks nobody"
    expected = flyweight.load(str(penguins))
    row = expected.metadata()["sample"]["instances"][0]
    assert expected.predict([row]).predictions == [told.removeprefix("Answer: ").partition(",")[0]]
    assert not [line for line in browser.told if "eval" in line], browser.told


@pytest.mark.slow
@pytest.mark.needs("pyodide", "chromium")
def test_a_refused_field_is_marked_in_the_browser_as_by_an_endpoint(browser: Browser, tmp_path: Path) -> None:
    table = np.arange(12.0).reshape(6, 2)
    flyweight.pack(LinearRegression().fit(table, table[:, 0]), tmp_path / "m.safetensors", sample=table, name="line", version="1")
    with Host(build("browser", tmp_path / "m.safetensors", tmp_path / "page").folder) as url:
        browser.open(url)
        browser.evaluate("document.getElementById('f0').value = ''; document.querySelector('#form button').click()")
        browser.wait("document.querySelector('[aria-invalid]') !== null")
        assert "Status 422" in browser.evaluate("document.getElementById('problem').textContent")

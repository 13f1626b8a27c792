"""People ask a model from its page in a real browser, by the keyboard alone, and a screen reader is told what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import flyweight
from flyweight import predictor
from flyweight.toolkit.running.server import Server
from tests.protocols.conftest import packed
from tests.services.browser import Browser

__all__ = ["packed"]
pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]
HOSTILE = """</script><script>document.title = "taken"</script><img src=x onerror='document.title = "taken"'>"""
FOCUSED = "document.activeElement.id || document.activeElement.textContent"
TOLD = "document.getElementById('told').textContent"
PROBLEM = "document.getElementById('problem').textContent"
# the contrast of each text with what is behind it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRASTS = """(() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
  };
  const worst = [];
  for (const element of document.querySelectorAll("body *:not(script)")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) && !element.value) continue;
    const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    worst.push([(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), element.outerHTML.slice(0, 80)]);
  }
  return worst.sort((one, other) => one[0] - other[0])[0];
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        made.prefer(reduced_motion="reduce")
        yield made


@pytest.fixture(scope="module")
def url(penguins: Path, packed: Callable[..., Path]) -> Iterator[str]:
    """Where the penguins are served, and below `/models/` one model of each kind."""
    models = ",".join(f"{name}={packed(name)}" for name in ("line", "plane", "several", "scaler", "flags"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLYWEIGHT_MODELS", models)
        patch.setenv("FLYWEIGHT_BASE_PATH", "/birds/v1")
        with Server(penguins, "127.0.0.1", 0) as server:
            yield server.url


def typed(browser: Browser, field: str, text: str) -> None:
    """Replace the text of a field by the keyboard."""
    browser.evaluate(f"document.getElementById('{field}').focus(); document.getElementById('{field}').select?.()")
    browser.press("Backspace")
    for key in text:
        browser.press(key)


def answered(browser: Browser) -> list[list[str]]:
    """Send the form by Enter, and read the rows of the first table of the answer."""
    browser.press("Enter")
    browser.wait(f"{TOLD}.startsWith('Answer') || {PROBLEM} !== ''")
    script = (
        "[...document.querySelectorAll('#answer table:first-of-type tr')].map((row) => [...row.cells].map((c) => c.textContent))"
    )
    rows: list[list[str]] = browser.evaluate(script)
    return rows


def test_the_sample_is_asked_by_the_keyboard_alone_and_nothing_of_another_host_is(
    browser: Browser, url: str, penguins: Path
) -> None:
    browser.open(f"{url}/docs")
    reached = []
    for _ in range(20):
        browser.press("Tab")
        reached.append(browser.evaluate(FOCUSED))
        ring = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring == "solid", f"{reached[-1]} does not show the focus"
        if reached[-1] == "Predict":
            break
    assert reached[-8:] == [*(f"f{place}" for place in range(7)), "Predict"]
    rows = answered(browser)
    sample = predictor.load(str(penguins)).file.document["sample"]
    assert browser.evaluate(TOLD).startswith(f"Answer: {sample['predictions'][0]}, probability ")
    assert {row[0] for row in rows} == {"Adelie", "Chinstrap", "Gentoo"} and rows[0][0] == sample["predictions"][0]
    widths = browser.evaluate("[...document.querySelectorAll('.bar i')].map((bar) => bar.offsetWidth)")
    assert widths == sorted(widths, reverse=True) and widths[0] > 50
    assert browser.told == [] and all(asked.startswith((url, "data:")) for asked in browser.asked)


def test_a_fault_is_shown_at_its_field_and_the_focus_goes_there(browser: Browser, url: str) -> None:
    browser.open(f"{url}/models/line/docs")
    typed(browser, "f1", "")
    browser.evaluate("document.querySelector('button[type=submit]').focus()")
    answered(browser)
    assert browser.evaluate(FOCUSED) == "f1" and "one field is marked" in browser.evaluate(PROBLEM)
    assert browser.evaluate("document.getElementById('f1').getAttribute('aria-invalid')") == "true"
    assert "expected" in browser.evaluate("document.getElementById('e1').textContent")
    typed(browser, "f1", "0.5")
    answered(browser)
    assert browser.evaluate(PROBLEM) == "" and not browser.evaluate("document.querySelector('[aria-invalid]') !== null")


def test_a_value_that_was_never_seen_can_be_typed_beside_the_choices(browser: Browser, url: str) -> None:
    browser.open(f"{url}/docs")
    browser.evaluate("(f0.value = '', f0.dispatchEvent(new Event('input', { bubbles: true })))")
    typed(browser, "o0", "Atlantis")
    answered(browser)
    assert '"island": "Atlantis"' in browser.evaluate("document.getElementById('curl').textContent")
    assert "island: another value" in [name for _, name in browser.accessible()]


@pytest.mark.parametrize("name", ["line", "plane", "several", "scaler", "flags"])
def test_the_page_of_each_kind_of_model_shows_its_answer(name: str, browser: Browser, url: str, packed: Any) -> None:
    browser.open(f"{url}/birds/v1/models/{name}/docs/")
    browser.evaluate("document.querySelector('button[type=submit]').focus()")
    answered(browser)
    model = predictor.load(str(packed(name)))
    (expected,) = model.predict(model.file.document["sample"]["instances"][:1]).predictions or []
    first = expected[0] if isinstance(expected, list) else expected
    shown = str(first).lower() if isinstance(first, bool) else f"{first:.6g}"
    assert browser.evaluate(TOLD).removeprefix("Answer: ").startswith(shown[:6]), browser.evaluate(PROBLEM)
    assert browser.told == []


def test_the_lines_follow_the_form_and_answer_as_the_page_does(browser: Browser, url: str) -> None:
    browser.open(f"{url}/birds/v1/docs")
    typed(browser, "f1", "59.6")
    browser.evaluate("(f5.value = 'null', f5.dispatchEvent(new Event('input', { bubbles: true })))")
    answered(browser)
    label = browser.evaluate("document.querySelector('#answer th').textContent")
    curl, python = (browser.evaluate(f"document.getElementById('{name}').textContent") for name in ("curl", "python"))
    assert f"{url}/birds/v1/predict" in curl and '"bill_length_mm": 59.6' in curl and '"sex": None' in python
    for words in (["bash", "-c", curl.replace("curl ", "curl --silent ", 1)], [sys.executable, "-c", python]):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert label in done.stdout and '"' + label in done.stdout.replace("'", '"'), done.stderr


def test_a_button_copies_the_line(browser: Browser, url: str) -> None:
    browser.open(f"{url}/docs")
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.evaluate("document.querySelector('[data-copies=curl]').click()")
    browser.wait("document.getElementById('copied').textContent !== ''")
    assert browser.evaluate("document.getElementById('copied').textContent") == "Copied."


def test_the_next_row_of_the_sample_fills_the_form(browser: Browser, url: str, penguins: Path) -> None:
    browser.open(f"{url}/docs")
    browser.evaluate("document.getElementById('next').click()")
    second = predictor.load(str(penguins)).file.document["sample"]["instances"][1]
    assert float(browser.evaluate("f1.value")) == second["bill_length_mm"]
    assert browser.evaluate(TOLD).startswith("Sample row 2 of ")


def test_a_screen_reader_meets_headings_labels_and_the_answer(browser: Browser, url: str) -> None:
    browser.open(f"{url}/docs")
    browser.evaluate("document.querySelector('button[type=submit]').focus()")
    answered(browser)
    met = browser.accessible()
    names = {role: [name for own, name in met if own == role] for role, _ in met}
    assert names["spinbutton"] == ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    assert names["combobox"] == ["island", "sex"] and "One instance" in names["group"]
    assert {"Ask the model", "Answer", "This model", "Protocols that are on"} <= {*names["heading"]}
    assert {"Copy the curl line", "Copy the Python lines", "Predict"} <= {*names["button"]}
    assert names["rowheader"] and "status" in names and "main" in names
    assert not [role for role, name in met if role in ("button", "textbox", "link", "spinbutton", "combobox") and not name]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_the_contrast_that_readers_need(scheme: str, browser: Browser, url: str) -> None:
    browser.prefer(color_scheme=scheme, reduced_motion="reduce")
    browser.open(f"{url}/docs")
    browser.evaluate("document.querySelector('button[type=submit]').focus()")
    answered(browser)
    ratio, element = browser.evaluate(CONTRASTS)
    assert ratio >= 4.5, element


def test_a_narrow_window_needs_no_scrolling_to_the_side(browser: Browser, url: str) -> None:
    browser.resize(320, 700)
    browser.open(f"{url}/docs")
    browser.evaluate("document.querySelector('button[type=submit]').focus()")
    answered(browser)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320
    browser.resize(1200, 900)


def test_html_in_names_and_classes_stays_text(browser: Browser, tmp_path: Path) -> None:
    table = pd.DataFrame({HOSTILE: ["a", HOSTILE] * 5})
    estimator = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(table, ["no", HOSTILE] * 5)
    flyweight.pack(estimator, tmp_path / "model.safetensors", sample=table, name="hostile", version="1")
    with Server(tmp_path / "model.safetensors", "127.0.0.1", 0) as server:
        browser.open(f"{server.url}/docs")
        browser.evaluate("document.getElementById('next').click(); document.querySelector('button[type=submit]').focus()")
        rows = answered(browser)
    assert HOSTILE in [row[0] for row in rows]
    assert browser.evaluate("document.title") == "hostile 1" and browser.evaluate("document.images.length") == 0
    assert browser.told == []

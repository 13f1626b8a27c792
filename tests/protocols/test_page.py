"""The page of a model holds its form, its sample and its protocols; no text of a model becomes HTML, and no other script runs."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import flyweight
from flyweight.models.signature import Feature, Signature
from flyweight.protocols import _page_form
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request, Response
from tests.protocols.conftest import Caller

HOSTILE = """</script><script>alert(1)</script><img src=x onerror='alert("2")'>&amp;"""


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts in them by the element's name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.found.append((tag, {name: value or "" for name, value in attributes}))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of the elements of that name that have these attributes."""
        return [own for name, own in self.found if name == tag and attributes.items() <= own.items()]


def asked(model: str | Path, path: str = "/docs", method: str = "GET", **settings: Any) -> Response:
    return Service(Settings(str(model), **settings), lambda entry: None).answer(Request(method, path, {}, b""))


def page(model: str | Path, path: str = "/docs", **settings: Any) -> Elements:
    response = asked(model, path, **settings)
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return Elements(response.body.decode())


def fields(*features: Feature, sample: list[Any] | None = None) -> Elements:
    """The form of a signature."""
    signature = Signature("regression", [*features], 1)
    document = {} if sample is None else {"sample": {"instances": [sample]}}
    return Elements(_page_form.write(signature, _page_form.samples(document, signature)))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose feature, categories and classes are HTML."""
    table = pd.DataFrame({HOSTILE: ["a", HOSTILE, "a", HOSTILE]})
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [HOSTILE]))
    estimator = make_pipeline(encode, LogisticRegression()).fit(table, ["no", HOSTILE, "no", HOSTILE])
    path = tmp_path_factory.mktemp("hostile") / "model.safetensors"
    flyweight.pack(estimator, path, sample=table, name="hostile", version="1")
    return path


def test_each_field_has_a_label_a_hint_and_the_value_of_the_sample(penguins: Path) -> None:
    found = page(penguins)
    labels = {own["for"]: text for own, text in zip(found.all("label"), found.texts["label"], strict=True)}
    assert [*labels.values()] == [
        *("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"),
    ]
    ids = {own["id"] for _, own in found.found if "id" in own}
    for place in labels:
        (field,) = [own for _, own in found.found if own.get("id") == place]
        assert {*field["aria-describedby"].split()} <= ids
    assert found.all("input", id="f1")[0]["value"] == "39.1"
    chosen = [own["value"] for own in found.all("option") if "selected" in own]
    assert chosen == ['"Torgersen"', '"male"']
    assert "number, seen 32.1 to 59.6, may be missing" in found.texts["small"]


def test_the_page_says_what_the_model_is_and_which_protocols_are_on(penguins: Path) -> None:
    text = asked(penguins, protocols=("native", "page", "kserve")).body.decode()
    assert sha256(penguins.read_bytes()).hexdigest() in text
    assert "compared with its estimator on 344 rows" in text and "0 labels differ" in text
    assert "POST /v1/models/M:predict" in text and "POST /v2/models/M/infer" not in text


def test_the_page_is_there_unless_the_setting_leaves_it_out(penguins: Path) -> None:
    assert asked(penguins).status == 200
    assert asked(penguins, protocols=("native",)).status == 404
    assert asked(penguins, method="POST").status == 405
    without = page(penguins, protocols=("page",))
    assert not without.all("form")
    assert "which is off in this deployment" in asked(penguins, protocols=("page",)).body.decode()


def test_each_model_has_its_own_page(penguins: Path, packed: Callable[..., Path]) -> None:
    found = page(penguins, "/models/other/docs", models={"other": str(packed("line"))})
    assert "x0" in found.texts["label"] and "island" not in found.texts["label"]
    assert asked(penguins, "/models/absent/docs").status == 404
    assert asked(penguins, "/models/a/b/docs").status == 404


def test_links_lead_to_what_is_beside_the_page_with_and_without_a_slash(penguins: Path) -> None:
    assert page(penguins).all("a", href="openapi.json")
    assert page(penguins, "/docs/").all("a", href="../openapi.json")


def test_the_policy_allows_the_script_and_the_style_of_the_page_and_nothing_else(penguins: Path) -> None:
    response = asked(penguins)
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    text = response.body.decode()
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert policy[directive] == f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"


def test_the_page_names_no_other_host_and_has_no_inline_handler(penguins: Path) -> None:
    found = page(penguins)
    text = asked(penguins).body.decode()
    assert "eval(" not in text and "innerHTML" not in text
    for tag, attributes in found.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert not any(attributes.get(name, "").startswith(("http", "//")) for name in ("src", "href", "action")), attributes


def test_names_and_categories_of_html_stay_text(hostile: Path) -> None:
    response = asked(hostile)
    found = Elements(response.body.decode())
    assert len(found.all("script")) == 2 and not found.all("img")
    assert HOSTILE in found.texts["label"] and HOSTILE in found.texts["option"]
    data = json.loads(found.texts["script"][0])
    assert data["features"][0]["name"] == HOSTILE


@given(st.text(min_size=1), st.lists(st.text() | st.floats(allow_nan=False) | st.booleans(), max_size=4))
def test_no_name_and_no_category_adds_an_element_or_an_attribute(name: str, categories: list[Any]) -> None:
    plain = fields(Feature("a", "string", True, ["b"] * len(categories)), sample=["c"])
    odd = fields(Feature(name, "string", True, categories), sample=["c"])
    assert [(tag, [*own]) for tag, own in odd.found] == [(tag, [*own]) for tag, own in plain.found]


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        (Feature("a", "number", False), 2.0, ("input", {"type": "number", "value": "2", "required": ""})),
        (Feature("a", "number", True), None, ("input", {"type": "number", "value": ""})),
        (Feature("a", "boolean", False), True, ("input", {"type": "checkbox", "checked": ""})),
        (Feature("a", "boolean", True), None, ("option", {"value": "null", "selected": ""})),
        (Feature("a", "string", False, ["x"]), "y", ("option", {"value": "", "selected": ""})),
        (Feature("a", "string", False, [*map(str, range(60))]), "7", ("input", {"type": "text", "list": "l0", "value": "7"})),
        (
            Feature("a", "datetime", False, zone="UTC"),
            "2024-01-31T10:00:00Z",
            ("input", {"type": "datetime-local", "value": "2024-01-31T10:00:00"}),
        ),
        (
            Feature("a", "datetime", False),
            "2024-01-31T10:00:00.000001",
            ("input", {"type": "text", "value": "2024-01-31T10:00:00.000001"}),
        ),
    ],
)
def test_each_kind_has_its_control(feature: Feature, value: Any, expected: tuple[str, dict[str, str]]) -> None:
    tag, attributes = expected
    assert fields(feature, sample=[value]).all(tag, **attributes)


def test_a_value_that_was_not_seen_stands_beside_the_choices() -> None:
    (other,) = fields(Feature("a", "string", False, ["x"]), sample=["y"]).all("input", id="o0")
    assert other["value"] == "y" and "hidden" not in other


def test_a_model_of_many_features_has_one_field_for_all() -> None:
    features = [Feature(f"f{place}", "number", True) for place in range(201)]
    found = fields(*features, sample=[1.0] * 201)
    assert len(found.all("textarea")) == 1 and not found.all("input")
    assert json.loads(found.texts["textarea"][0])["f200"] == 1.0


@pytest.mark.parametrize("sample", [None, 7, {}, {"instances": 7}, {"instances": [7]}, {"instances": [[1, 2, 3]]}])
def test_a_sample_that_is_malformed_or_absent_is_made_from_the_signature(sample: Any) -> None:
    features = [Feature("a", "number", True, range=[2.0, 4.0]), Feature("b", "string", True, ["x"])]
    assert _page_form.samples({"sample": sample}, Signature("regression", features, 1)) == [[3.0, "x"]]


def test_every_kind_of_model_has_a_page(packed: Callable[..., Path], caller: Callable[..., Caller]) -> None:
    for name in ("numbers", "flags", "line", "plane", "several", "scaler", "one"):
        assert page(packed(name)).all("form")

"""Protocols are found by name, paths by protocol; the setting is checked when a handler is bound."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight import protocols
from flyweight.errors import InvalidSetting, MethodNotAllowed, NotFound
from flyweight.handler import bind
from flyweight.protocols import native
from flyweight.values import Request, Response

PACKAGE = Path(protocols.__path__[0])
NOT_PROTOCOLS = [
    "",
    "openapi",
    "_native",
    "__init__",
    "absent",
    "Native",
    "native ",
    "native.route",
    ".native",
    "..errors",
    "../errors",
    "flyweight.errors",
    "errors",
    "os",
    "os.path",
    "nätive",
    "native\0",
    "x" * 1000,
]


class Toy:
    """A protocol with one path."""

    PATHS = ("GET /toy",)

    @staticmethod
    def route(method: str, path: str) -> tuple[Any, str] | None:
        return (native.health, "") if path == "/toy" else None


def test_a_protocol_is_found_by_its_name() -> None:
    assert protocols.find("native") is native


def test_every_name_is_a_module_of_the_package_with_the_interface_of_a_protocol() -> None:
    names = protocols.names()
    assert "native" in names and names == sorted(names)
    assert {*names} <= {path.stem for path in PACKAGE.glob("*.py")}
    for name in names:
        module = protocols.find(name)
        assert module.PATHS and all([len(path.split(" ")) == 2 for path in module.PATHS])
        for member in ("route", "parse", "render", "error"):
            assert callable(getattr(module, member))


def test_a_module_without_routes_is_not_a_protocol() -> None:
    assert (PACKAGE / "openapi.py").exists() and "openapi" not in protocols.names()


@pytest.mark.parametrize("name", NOT_PROTOCOLS)
def test_an_unknown_name_is_refused_with_the_names_that_exist(name: str) -> None:
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_PROTOCOLS should be names of protocols") as caught:
        protocols.find(name)
    assert f"({', '.join(protocols.names())})" in str(caught.value) and len(str(caught.value)) < 500


@given(st.text() | st.sampled_from(NOT_PROTOCOLS).flatmap(lambda name: st.text(max_size=3).map(lambda end: name + end)))
def test_no_name_leaves_the_package(name: str) -> None:
    try:
        module: Any = protocols.find(name)
    except InvalidSetting:
        return
    assert Path(module.__file__).parent == PACKAGE and name in protocols.names()


def test_a_protocol_that_lacks_a_library_raises_the_error_of_its_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the library, and does not call the protocol unknown."""
    (tmp_path / "needy.py").write_text("import a_library_that_is_absent\n")
    monkeypatch.setattr(protocols, "__path__", [*protocols.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_absent"):
        protocols.find("needy")


@pytest.mark.parametrize(
    ("method", "path", "operation", "name"),
    [
        ("POST", "/predict", native.predict, ""),
        ("post", "/predict/", native.predict, ""),
        ("POST", "/", native.predict, ""),
        ("HEAD", "/health", native.health, ""),
        ("GET", "/models", native.models, ""),
        ("GET", "/models/m", native.model, "m"),
        ("POST", "/models/m/predict", native.predict, "m"),
    ],
)
def test_a_path_has_a_protocol_an_operation_and_a_model(method: str, path: str, operation: Any, name: str) -> None:
    assert protocols.route((native,), method, path) == (native, operation, name)


def test_the_first_protocol_that_has_a_path_answers_it() -> None:
    toy: Any = Toy
    assert protocols.route((native, toy), "GET", "/toy") == (toy, native.health, "")
    assert protocols.route((toy, native), "POST", "/predict") == (native, native.predict, "")


def test_an_unknown_path_is_refused_with_the_paths_of_all_protocols() -> None:
    toy: Any = Toy
    with pytest.raises(NotFound) as caught:
        protocols.route((native, toy, toy), "GET", "/nowhere" * 100)
    assert str(caught.value).count("GET /toy") == 1  # a path that several have in common is named once
    assert all([path in str(caught.value) for path in (*native.PATHS, *Toy.PATHS)]) and len(str(caught.value)) < 500


def test_another_method_is_refused_with_the_right_one() -> None:
    protocol, operation, name = protocols.route((native,), "DELETE", "/predict")
    assert (protocol, name) == (native, "")
    with pytest.raises(MethodNotAllowed) as caught:
        nothing: Any = None
        operation(nothing, nothing, name)
    assert caught.value.allow == "POST, OPTIONS"


def test_without_a_setting_native_is_first_and_all_others_are_found_when_a_path_is_not_its_own() -> None:
    usual = protocols.Protocols(())
    assert protocols.route(usual, "POST", "/predict")[0] is native
    assert [*usual] == [native, *[protocols.find(name) for name in protocols.names() if name != "native"]]
    assert [*usual] == [*usual]


def test_a_request_of_native_imports_no_other_protocol(penguins: Path) -> None:
    script = f"""
import sys
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
service = Service(Settings({str(penguins)!r}), lambda entry: None)
body = b'{{"instances": [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]}}'
answer = service.answer(Request("POST", "/predict", {{}}, body))
assert answer.status == 200, answer
print(*[name for name in sys.modules if name.startswith("flyweight.protocols.")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["flyweight.protocols.native"]


def test_a_body_that_native_refuses_costs_no_listing_of_packages(penguins: Path) -> None:
    """The first wrong request of a function looks for other protocols, and `pkgutil` takes as long as a cold start."""
    script = f"""
import sys
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
service = Service(Settings({str(penguins)!r}), lambda entry: None)
before = "pkgutil" in sys.modules
assert service.answer(Request("POST", "/predict", {{}}, b'{{"rows": []}}')).status == 422
assert not before and "pkgutil" not in sys.modules
"""
    subprocess.run(
        [sys.executable, "-S", "-c", script], check=True, timeout=120, env={**os.environ, "PYTHONPATH": str(PACKAGE.parents[1])}
    )


def test_a_body_that_native_refuses_is_offered_to_protocols_that_share_its_path(
    penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Native's own answer remains where no protocol knows the body, and where the path is another one."""

    class Claiming(Toy):
        error = staticmethod(native.error)

        @staticmethod
        def claim(request: Request) -> Any:
            return native.models if b"calls" in request.body else None

    answer = bound(penguins, monkeypatch, "")
    monkeypatch.setattr(protocols.Protocols, "__iter__", lambda self: iter([native, Claiming]))
    assert answer("POST", "/predict", b'{"calls": []}') == (200, {"models": []})
    assert answer("POST", "/", b'{"calls": []}') == (200, {"models": []})
    assert answer("POST", "/predict", b'{"rows": []}')[0] == 422
    assert answer("GET", "/predict", b'{"calls": []}')[0] == 405


def bound(penguins: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> Any:
    """Bind a handler whose events are a method and a path."""
    monkeypatch.setenv("FLYWEIGHT_MODEL", str(penguins))
    monkeypatch.setenv("FLYWEIGHT_PROTOCOLS", setting)

    def decode(method: str, path: str, body: bytes = b"") -> Request:
        return Request(method, path, {}, body)

    def encode(response: Response, *event: Any) -> tuple[int, Any]:
        return response.status, json.loads(response.body)

    return bind(decode, encode, folder="/nowhere", logs={"": lambda: lambda entry: None})


@pytest.mark.parametrize("setting", ["", " ", "native", " native,", "native native"])
def test_the_setting_lists_protocols_and_native_is_the_default(
    penguins: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    assert bound(penguins, monkeypatch, setting)("GET", "/health") == (200, {"status": "ok"})


@pytest.mark.parametrize("setting", ["natve", "native,openapi", "native ../errors", "native,_private"])
def test_an_unknown_protocol_in_the_setting_stops_the_start(
    penguins: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_PROTOCOLS should be names of protocols"):
        bound(penguins, monkeypatch, setting)


def test_the_first_protocol_of_the_setting_writes_the_error_of_an_unknown_path(
    penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, document = bound(penguins, monkeypatch, "native")("GET", "/nowhere")
    assert (status, document["type"]) == (404, "urn:flyweight:problem:not_found")

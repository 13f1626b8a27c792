"""What a message tells a user to install is the flyweight that printed it."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest

from flyweight import __version__
from flyweight.toolkit import installation


class Installed:
    """A distribution with what its installer recorded."""

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.origin and json.dumps(self.origin)


CASES: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "editable checkout": (
        {"url": "file:///home/me/fly%20weight", "dir_info": {"editable": True}},
        "flyweight[onnx,aws] @ file:///home/me/fly%20weight",
        "pip install -e '/home/me/fly weight[onnx,aws]'",
    ),
    "checkout": (
        {"url": "file:///home/me/flyweight", "dir_info": {}},
        "flyweight[onnx,aws] @ file:///home/me/flyweight",
        "pip install 'flyweight[onnx,aws] @ file:///home/me/flyweight'",
    ),
    "wheel": (
        {"url": "file:///home/me/flyweight-0.1.0-py3-none-any.whl", "archive_info": {}},
        "flyweight[onnx,aws] @ file:///home/me/flyweight-0.1.0-py3-none-any.whl",
        "pip install 'flyweight[onnx,aws] @ file:///home/me/flyweight-0.1.0-py3-none-any.whl'",
    ),
    "commit": (
        {"url": "https://example.com/flyweight.git", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
        "flyweight[onnx,aws] @ git+https://example.com/flyweight.git@0a1b",
        "pip install 'flyweight[onnx,aws] @ git+https://example.com/flyweight.git@0a1b'",
    ),
    "registry": (None, f"flyweight[onnx,aws]>={__version__}", "pip install 'flyweight[onnx,aws]'"),
}


@pytest.mark.parametrize(("origin", "requirement", "command"), CASES.values(), ids=CASES)
def test_it_comes_from_where_this_one_came_from(
    origin: dict[str, Any] | None, requirement: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "distribution", lambda name: Installed(origin))
    assert installation.requirement("onnx", "aws") == requirement
    assert installation.command("onnx", "aws") == command


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("onnx.helper", "[onnx]"),
        ("ai_edge_litert", "[litert]"),
        ("nobody_s", "install the package that has it"),
        ("pyarrow", "[files]"),
    ],
)
def test_a_module_that_is_missing_comes_with_the_extra_that_has_it(module: str, words: str) -> None:
    assert words in installation.bringing(module)


def test_sources_on_the_path_are_an_editable_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", nothing)
    assert (installation.CHECKOUT / "pyproject.toml").is_file()
    assert installation.command("onnx") == f"pip install -e '{installation.CHECKOUT}[onnx]'"

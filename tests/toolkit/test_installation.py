"""What a message tells a user to install is the flyweight that printed it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
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
        ("cyclonedx.model", "[toolkit]"),
        ("sklearn", "[toolkit]"),
    ],
)
def test_a_module_that_is_missing_comes_with_the_extra_that_has_it(module: str, words: str) -> None:
    assert words in installation.bringing(module)


BARE = """
import sys

class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ("flyweight", *sys.stdlib_module_names):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Bare())
import flyweight
try:
    CALL
except ImportError as error:
    assert isinstance(error, flyweight.FlyweightError)
    print(error)
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("flyweight.pack", "flyweight.pack needs the Python module numpy, which is not installed here: pip install [toolkit]"),
        (
            "flyweight.build('aws', MODEL, 'out')",
            "flyweight.build needs the Python module cyclonedx, which .*: pip install [toolkit]",
        ),
        ("flyweight.Scorer(MODEL)", "a Scorer needs the Python module pyarrow, which .* extra `files`"),
        ("flyweight.router(MODEL)", "flyweight.router needs the Python module .*: install the package that has it"),
        (
            "flyweight.blueprint(MODEL)",
            "flyweight.blueprint needs the Python module flask, which .*: install the package that has it",
        ),
        ("flyweight.urls(MODEL)", "flyweight.urls needs the Python module django, which .*: install the package that has it"),
    ],
)
def test_from_python_too_an_error_names_what_installs_what_is_missing(
    call: str, told: str, penguins: Path, tmp_path: Path
) -> None:
    program = BARE.replace("CALL", call.replace("MODEL", repr(str(penguins))))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert re.match(told.replace("[toolkit]", r".*\[toolkit\]"), done.stdout), done.stdout + done.stderr


def test_sources_on_the_path_are_an_editable_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", nothing)
    assert (installation.CHECKOUT / "pyproject.toml").is_file()
    assert installation.command("onnx") == f"pip install -e '{installation.CHECKOUT}[onnx]'"

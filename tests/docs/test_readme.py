"""The README and the pages name commands, code, links and settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from tests.services.fixtures import Bucket
from tests.targets.handler import ROOT

README = ROOT / "README.md"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.rglob("docs/**/*.md"), *ROOT.glob("*/README.md")]
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def test_the_readmes_code_and_commands_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Bucket) -> None:
    """Run a new user's first steps from the README: train, pack, inspect, predict, build, invoke, push, and use from Python."""
    monkeypatch.chdir(tmp_path)
    training, *uses = fences("python")
    exec(compile(training, "README.md: training", "exec"), {})
    ran = [line for block in fences("bash") for line in block.splitlines() if line.startswith("flyweight ")]
    verbs = [line.split()[1] for line in ran]
    assert {"pack", "inspect", "predict", "build", "invoke"} <= {*verbs}
    for line, verb in zip(ran, verbs, strict=True):
        if verb != "serve":  # it ends with Ctrl-C; tests/toolkit/running/test_server.py tests it
            command = line.split(" > ")[0].split("  #")[0].replace("s3://my-bucket/models", s3.root)
            result = CliRunner().invoke(main, shlex.split(command)[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
    for use in uses:
        exec(compile(use, "README.md: use", "exec"), {})


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"`make ([a-z]+)|^make ([a-z]+)", page.read_text(), re.MULTILINE)
        for target in target
        if target
    }
    assert named and named <= targets


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = [
        link.split("#")[0]
        for link in re.findall(r"\]\(([^)\s]+)\)|srcset=\"([^\"]+)\"|src=\"([^\"]+)\"", text)
        for link in link
        if link
    ]
    local = [link for link in links if link and not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_anchors_are_headings_of_the_page(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+#[^)\s]+)\)", page.read_text()) if "://" not in link]
    for path, _, anchor in [link.partition("#") for link in links]:
        headings = re.findall(r"^#+ (.+)$", (page.parent / path if path else page).read_text(), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], anchor


def test_every_setting_is_explained_on_a_page() -> None:
    from flyweight import settings

    unset = settings.read("", environ={})
    grouped = {**unset.limits._asdict(), **unset.caching._asdict(), **settings.permissions({})._asdict(), **unset._asdict()}
    grouped |= {**settings.event_senders({})._asdict(), **settings.accelerators({})._asdict()}
    names = {name.upper() for name in grouped} - {"LIMITS", "CACHING", "VERIFICATION", "CORS"}
    names |= {"SHA256", "PUBLIC_KEYS", "OUTPUT", "OUTPUT_FORM", "CONTINUE"}
    names |= {"CORS_ORIGINS", "CORS_HEADERS", "CORS_CREDENTIALS", "CORS_MAX_AGE"}
    pages = "".join(page.read_text() for page in PAGES)
    assert not [name for name in names if f"`FLYWEIGHT_{name}`" not in pages]


def test_the_changelog_knows_the_version() -> None:
    import flyweight

    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {flyweight.__version__}" in text or "## Unreleased" in text


def test_the_table_of_ops_lists_all_ops() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    from flyweight import ops

    families = [module.name for module in iter_modules(ops.__path__) if not module.name.startswith("_")]
    page = (ROOT / "docs" / "model-file.md").read_text()
    for family in families:
        assert f"`{family}`" in page
        for op in import_module(f"flyweight.ops.{family}").OPS:
            assert f"`{op}`" in page, f"docs/model-file.md does not list {family}.{op}"

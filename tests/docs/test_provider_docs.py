"""The commands, options and files that `docs/providers/` and `infra/README.md` name exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from flyweight import settings
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.events import samples
from tests.targets.aws.sam import sam
from tests.targets.gcp.gcloud import complaints, needs_gcloud
from tests.targets.handler import ROOT

PROVIDERS = sorted((ROOT / "docs" / "providers").glob("*.md"))
PAGES = [*PROVIDERS, ROOT / "infra" / "README.md"]
FENCE = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """List the commands in a page's code fences, with continued lines joined; commands inside `$(...)` are listed as well."""
    lines = "".join(FENCE.findall(page.read_text())).replace("\\\n", " ").splitlines()
    inner = [found for line in lines for found in re.findall(r"""\$\((gcloud (?:"[^"]*"|[^)"])*)\)""", line)]
    return [line.strip() for line in [*lines, *inner] if line.strip()]


def of(tool: str, pages: list[Path]) -> list[str]:
    found = [command for page in pages for command in commands(page) if command.startswith(f"{tool} ")]
    return list(dict.fromkeys(found))


FLYWEIGHT = of("flyweight", PAGES)
SAM = of("sam", PAGES)


def test_every_provider_has_a_page_that_says_what_was_not_verified() -> None:
    assert {page.stem for page in PROVIDERS} >= {*targets.names()}
    for page in PROVIDERS:
        assert "\n## What was verified, and what was not\n" in page.read_text()
        assert "Not verified:" in page.read_text()


@pytest.mark.parametrize("line", FLYWEIGHT)
def test_flyweight_has_the_verb_and_its_options(line: str) -> None:
    _, verb, *arguments = shlex.split(line)
    group = click.Context(main)
    assert isinstance(main, click.Group)
    command = main.get_command(group, verb)
    assert command is not None, verb
    context = click.Context(command, parent=group)
    if isinstance(command, click.Group):
        inner = command.get_command(context, arguments.pop(0))
        assert inner is not None, line
        command, context = inner, click.Context(inner, parent=context)
    given, left, _ = command.make_parser(context).parse_args(arguments)  # an unknown option raises
    assert left == []
    for option in command.params:
        assert not option.required or given.get(option.name or "") is not None, option.name


@needs_gcloud
def test_gcloud_accepts_its_commands(tmp_path: Path) -> None:
    lines = of("gcloud", PAGES)
    assert len(lines) > 3
    assert complaints(lines, tmp_path) == []


@pytest.mark.parametrize("verb", sorted({line.split()[1] for line in SAM}))
def test_sam_has_the_verb_and_its_options(verb: str, tmp_path: Path) -> None:
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", sam(verb, "--help", cwd=tmp_path)))
    used = {word for line in SAM if line.split()[1] == verb for word in shlex.split(line) if word.startswith("-")}
    assert used <= known


def test_the_parameters_that_sam_is_given_are_the_templates() -> None:
    given = {name for line in SAM for name in re.findall(r"(?<=[ ])([A-Z]\w+)=", line)}
    template = (ROOT / "infra" / "aws" / "template.yaml").read_text()
    assert given
    assert [name for name in given if f"\n  {name}:\n    Type: " not in template] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_and_events_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"(?<![\w/.])(?:infra|events|handlers|tests|docs)/[\w./-]*\w", text))
    assert [name for name in named if not (ROOT / name).exists()] == []
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    for provider, name in re.findall(r"flyweight invoke (\w+) .*--event (\w+)", text):
        assert name in samples.names(provider)


def test_the_settings_are_those_that_are_read_with_their_defaults() -> None:
    table = dict(
        re.findall(r"^\| `(FLYWEIGHT_\w+)` \| (\S+) \|", (ROOT / "docs" / "providers" / "aws.md").read_text(), re.MULTILINE)
    )
    unset = settings.read("", environ={})
    limits = {f"FLYWEIGHT_{name.upper()}": str(value).lower() or "empty" for name, value in unset.limits._asdict().items()}
    assert table == {"FLYWEIGHT_MODEL": f"`{unset.model}`", "FLYWEIGHT_OBSERVABILITY": "empty", **limits}

"""A project's name, model and providers to its files, as bytes by their paths: the same each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import flyweight
from flyweight.models import file as model_file
from flyweight.toolkit import resources
from flyweight.toolkit.building import requirements

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "template"  # `.template`: a file that tools would take for this project's own
COMMANDS = HERE / "commands"  # that deploy, one file a provider
STEPS = "shared/flyweight_steps.py"
# what a function of any model answers alike; `predict` is made of the model's own sample
EVENTS = ("health", "ready", "model")
OWN = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class File:
    """The contents of a file, and whether it may be run."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Plan:
    """What a project is made of.

    `model`: the model file's path in it; `trains`: whether it comes with the example's training; `steps`: whether it came with
    steps of its owner, which are theirs as the model is.
    """

    name: str
    model: str
    providers: tuple[str, ...]
    trains: bool = False
    steps: bool = False


def files(plan: Plan, root: Path) -> dict[str, File]:
    """All files of a project but its owner's model and steps, which lie in `root` already."""
    document = model_file.read(str(root / plan.model)).document
    found, absent = {}, {"train.py" if not plan.trains else "", STEPS if plan.steps else ""}
    words = _words(plan, document)
    for path in _sources(TEMPLATE):
        name = path.relative_to(TEMPLATE).as_posix()
        if name not in absent:
            found[name.removesuffix(".template")] = File(_filled(path.read_text(encoding="utf-8"), words).encode())
    for provider in plan.providers:
        for folder in (f"handlers/{provider}", f"infra/{provider}", f"infra/terraform/{provider}"):
            top, _, rest = folder.partition("/")
            source = resources.folder(top) / rest
            for path in _sources(source) if source.is_dir() else ():
                data = File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
                found[f"{folder}/{path.relative_to(source).as_posix()}"] = data
        found |= _events(provider, document)
    return dict(sorted(found.items()))


def _events(provider: str, document: dict[str, Any]) -> dict[str, File]:
    samples = {name: resources.event(provider, name) for name in EVENTS}
    found = {f"events/{provider}/{name}.json": File(path.read_bytes()) for name, path in samples.items() if path.is_file()}
    sample = document.get("sample")
    if isinstance(sample, dict) and sample.get("instances"):
        event = resources.event_of(provider, sample["instances"][:1])
        found[f"events/{provider}/predict.json"] = File((json.dumps(event, indent=2, ensure_ascii=False) + "\n").encode())
    return found


def _sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not {*OWN} & {path.suffix, path.parent.name}]


def _words(plan: Plan, document: dict[str, Any]) -> dict[str, str]:
    """What stands for each word of the template."""
    tools = [_flyweight(",".join(("toolkit", *plan.providers))), *requirements.pins(document), "pytest"]
    lines = [f"  {json.dumps(tool)}," for tool in tools]
    commands = [COMMANDS / f"{provider}.txt" for provider in plan.providers]
    deploy = "\n\n".join(path.read_text(encoding="utf-8").strip() for path in commands if path.is_file())
    words = {"DEPLOY": deploy, "REQUIREMENTS": "\n".join(lines), "NAME": plan.name, "MODEL": plan.model}
    return {**words, "PROVIDER": plan.providers[0]}


def _flyweight(extras: str) -> str:
    """What installs the flyweight that is here: by where it came from, if that was no package registry (PEP 610)."""
    try:
        told = json.loads(distribution("flyweight").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        told = {}
    if not told:
        return f"flyweight[{extras}]>={flyweight.__version__}"
    commit = told.get("vcs_info", {})
    url = f"{commit['vcs']}+{told['url']}@{commit['commit_id']}" if commit else told["url"]
    return f"flyweight[{extras}] @ {url}"


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text

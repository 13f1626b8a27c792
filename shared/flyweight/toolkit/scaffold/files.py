"""A project's name, model and targets to its files, as bytes by their paths: the same each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.models import file as model_file
from flyweight.toolkit import installation, targets
from flyweight.toolkit.building import requirements
from flyweight.toolkit.events import samples

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "template"  # `.template`: a file that tools would take for this project's own
COMMANDS = "project_commands.txt"  # that deploy a project, a file beside each target
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
    targets: tuple[str, ...]
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
    for target in map(targets.find, plan.targets):
        terraform = target.hall("infra") / "terraform" / target.name
        for hall, source in (("handlers", target.folder("handlers")), ("infra", target.folder("infra")), ("infra", terraform)):
            for path in _sources(source) if source.is_dir() else ():
                inside = path.relative_to(target.hall(hall)).as_posix()
                found[f"{hall}/{inside}"] = File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        found |= _events(target.name, document)
    return dict(sorted(found.items()))


def _events(target: str, document: dict[str, Any]) -> dict[str, File]:
    events = {name: samples.read(target, name) for name in EVENTS}
    sample = document.get("sample")
    if isinstance(sample, dict) and sample.get("instances"):
        events["predict"] = samples.predicting(target, sample["instances"][:1])
    texts = {name: json.dumps(event, indent=2, ensure_ascii=False) + "\n" for name, event in events.items()}
    return {f"events/{target}/{name}.json": File(text.encode()) for name, text in texts.items()}


def _sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not {*OWN} & {path.suffix, path.parent.name}]


def _words(plan: Plan, document: dict[str, Any]) -> dict[str, str]:
    """What stands for each word of the template."""
    chosen = [targets.find(name) for name in plan.targets]
    extras = dict.fromkeys(target.runtime.EXTRA for target in chosen if target.runtime.EXTRA)
    tools = [installation.requirement("toolkit", *extras), *requirements.pins(document), "pytest"]
    lines = [f"  {json.dumps(tool)}," for tool in tools]
    commands = [target.file(COMMANDS) for target in chosen]
    deploy = "\n\n".join(path.read_text(encoding="utf-8").strip() for path in commands if path.is_file())
    words = {"DEPLOY": deploy, "REQUIREMENTS": "\n".join(lines), "NAME": plan.name, "MODEL": plan.model}
    return {**words, "TARGET": plan.targets[0], "HANDLER": chosen[0].handler}


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text

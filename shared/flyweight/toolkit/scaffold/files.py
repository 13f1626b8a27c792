"""Generate the files of a project from its name, model and targets, as reproducible bytes by path."""

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
TEMPLATE = HERE / "template"  # the suffix `.template` hides a file from this repository's own tools
FRAMEWORKS = HERE / "frameworks"  # a folder each
SHARED = ("train.py", ".gitignore.template")  # files of the template that each project has
COMMANDS = "project_commands.txt"  # in each target's folder: the commands that deploy a project
STEPS = "shared/flyweight_steps.py"
# events that every model answers alike; `predict` is generated from the model's own sample
EVENTS = ("health", "ready", "model")
OWN = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class File:
    """The contents of a file, and whether it is executable."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Plan:
    """The contents of a project.

    `model`: the path of the model file in it; `trains`: whether it contains the example's training; `steps`: whether it was
    created with the user's own steps, which an upgrade never changes, nor the model; `framework`: that of an application, which
    has no targets, "" for functions.
    """

    name: str
    model: str
    targets: tuple[str, ...]
    trains: bool = False
    steps: bool = False
    framework: str = ""

    @property
    def steps_file(self) -> str:
        """Where the user's own steps are: beside the application, or in the folder that each function gets."""
        return Path(STEPS).name if self.framework else STEPS


def frameworks() -> list[str]:
    """List the web frameworks for whose applications there is a project, sorted."""
    return sorted(path.name for path in FRAMEWORKS.iterdir() if path.is_dir() and path.name not in OWN)


def files(plan: Plan, root: Path) -> dict[str, File]:
    """Generate all files of a project except the user's model and steps, which are in `root` already."""
    document = model_file.read(str(root / plan.model)).document
    found, absent = {}, {"train.py" if not plan.trains else "", STEPS if plan.steps else ""}
    words = _words(plan, document)
    for name, path in _template(plan).items():
        if name not in absent:
            found[name.removesuffix(".template")] = File(_filled(path.read_text(encoding="utf-8"), words).encode())
    if plan.framework:
        rows = (document.get("sample") or {}).get("instances", [])[:1]
        found["sample.json"] = File((json.dumps({"instances": rows}, indent=2, ensure_ascii=False) + "\n").encode())
    for target in map(targets.find, plan.targets):
        infra = [target.hall("infra") / place / name for name in _names(target) for place in ("", "terraform")]
        for hall, source in (("handlers", target.folder("handlers")), *(("infra", folder) for folder in infra)):
            for path in _sources(source) if source.is_dir() else ():
                inside = path.relative_to(target.hall(hall)).as_posix()
                found[f"{hall}/{inside}"] = File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        found |= _events(target.name, document)
    return dict(sorted(found.items()))


def _template(plan: Plan) -> dict[str, Path]:
    """List the files that a project is made from, by their names in it."""
    if not plan.framework:
        return {path.relative_to(TEMPLATE).as_posix(): path for path in _sources(TEMPLATE)}
    own = FRAMEWORKS / plan.framework
    return {name: TEMPLATE / name for name in SHARED} | {path.relative_to(own).as_posix(): path for path in _sources(own)}


def _events(target: str, document: dict[str, Any]) -> dict[str, File]:
    events = {name: samples.read(target, name) for name in EVENTS}
    sample = document.get("sample")
    if isinstance(sample, dict) and sample.get("instances"):
        events["predict"] = samples.predicting(target, sample["instances"][:1])
    texts = {name: json.dumps(event, indent=2, ensure_ascii=False) + "\n" for name, event in events.items()}
    return {f"events/{target}/{name}.json": File(text.encode()) for name, text in texts.items()}


def _names(target: targets.Target) -> tuple[str, ...]:
    """Return the names of a target's folders in `infra/`: its own, and that of the target whose files it uses."""
    return (target.name, target.shares) if target.shares else (target.name,)


def _sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not {*OWN} & {path.suffix, path.parent.name}]


def _words(plan: Plan, document: dict[str, Any]) -> dict[str, str]:
    """Return the replacement of each placeholder of the template."""
    pins = requirements.pins(document)
    words = {"NAME": plan.name, "MODEL": plan.model}
    if plan.framework:
        needed = {"FLYWEIGHT": installation.requirement(), "TOOLKIT": installation.requirement("toolkit")}
        return {**words, **needed, "PINS": "".join(f"{pin}\n" for pin in pins)}
    chosen = [targets.find(name) for name in plan.targets]
    extras = dict.fromkeys(target.runtime.EXTRA for target in chosen if target.runtime.EXTRA)
    tools = [installation.requirement("toolkit", *extras), *pins, "pytest"]
    lines = [f"  {json.dumps(tool)}," for tool in tools]
    commands = [target.file(COMMANDS) for target in chosen]
    deploy = "\n\n".join(path.read_text(encoding="utf-8").strip() for path in commands if path.is_file())
    words |= {"DEPLOY": deploy, "REQUIREMENTS": "\n".join(lines)}
    return {**words, "TARGET": plan.targets[0], "HANDLER": chosen[0].handler}


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text

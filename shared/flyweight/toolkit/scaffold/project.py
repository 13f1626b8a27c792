"""Files to a folder that is the user's: written once, and later brought up to date where they are as they were written."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flyweight
from flyweight import predictor
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import custom_steps
from flyweight.toolkit.scaffold.files import STEPS, TEMPLATE, File, Plan, files
from flyweight.toolkit.targets import all_targets, find

MANIFEST = ".flyweight.json"  # what was written, by the sha256 of each file: a file that has another was changed by its owner
EXAMPLE = "models/iris.safetensors"
NEEDED = ("package", "runtime")  # what a project does with a target: it builds for it, and its tests run what was built


class ScaffoldFailed(ToolkitError):
    """A project that can't be made or brought up to date."""


@dataclass
class Changes:
    """What was done to a project's files.

    `written`, `unchanged`; `removed`: ours, and of no use any more; `kept`: as its owner left it; `beside`: kept, and the new
    version is FILE.new.
    """

    folder: str
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def create(folder: Path, model: Path | None = None, targets: tuple[str, ...] = ()) -> Changes:
    """Make a project around a model file, or around an example that it trains, with the steps of one's own that are in use.

    :param targets: names of targets, () for all that can be built and run here.
    :raises ScaffoldFailed: the folder holds something already.
    :raises ToolkitError: there is no such target, or it can't be built or run.
    :raises ModelRefused: the model file fails a check.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = f"choose another folder; if flyweight made this one: flyweight new --upgrade {folder}"
        raise ScaffoldFailed(f"{folder} holds something already", next_step=hint)
    names = targets or tuple(target.name for target in all_targets() if all(map(target.has, NEEDED)))
    for target in map(find, names):
        for facet in NEEDED:
            target.require(facet)
    if model is not None:
        predictor.load(str(model))  # refused before anything is written
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "model"
    own = custom_steps.source()
    path = EXAMPLE if model is None else f"models/{model.name}"
    plan = Plan(name, path, names, trains=model is None, steps=own is not None)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    if model is None:
        _train(folder)
    else:
        _copy(model, folder / plan.model)
        _copy(Path(f"{model}.sig"), folder / f"{plan.model}.sig")  # its signature, if it has one
    if own is not None:
        _copy(own, folder / STEPS)
    return _write(folder, plan, {})


def upgrade(folder: Path) -> Changes:
    """Bring a project up to date with this flyweight: files that its owner changed are kept, and the new ones written beside.

    :raises ScaffoldFailed: flyweight did not make this folder, or its model is gone.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        names = manifest["targets"] if "targets" in manifest else manifest["providers"]  # as earlier versions wrote it
        plan = Plan(manifest["name"], manifest["model"], tuple(names), bool(manifest["trains"]), bool(manifest.get("steps")))
        before = {str(name): str(value) for name, value in manifest["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        hint = "make a project first: flyweight new DIR"
        raise ScaffoldFailed(f"{folder} has no {MANIFEST} that could be read", next_step=hint) from None
    if not (folder / plan.model).is_file():
        raise ScaffoldFailed(f"the model {folder / plan.model} is gone", f"put it back, or name another in {MANIFEST}")
    return _write(folder, plan, before)


def _write(folder: Path, plan: Plan, before: dict[str, str]) -> Changes:
    """Write what is new, or was changed by us alone; remember what was offered."""
    changes, offered = Changes(str(folder)), {}
    for name, file in files(plan, folder).items():
        offered[name] = _sha256(file.data)
        getattr(changes, _put(folder / name, file, before.get(name), offered[name])).append(name)
    for name in sorted({*before} - {*offered}):  # which an older flyweight wrote, and this one has no more
        path = folder / name
        if path.is_file():
            ours = _sha256(path.read_bytes()) == before[name]
            (changes.removed if ours else changes.kept).append(name)
            path.unlink() if ours else None
    document: dict[str, Any] = {"flyweight": flyweight.__version__, "name": plan.name, "model": plan.model}
    document |= {"targets": [*plan.targets], "trains": plan.trains, "steps": plan.steps, "files": offered}
    (folder / MANIFEST).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return changes


def _put(path: Path, file: File, before: str | None, offered: str) -> str:
    """One file: what was done, as `Changes` names it.

    :param before: the sha256 that we wrote or offered last; None if we never did.
    """
    if path.is_dir():
        return "kept"
    if not path.exists():
        if before is not None:
            return "kept"  # its owner removed it
        _store(path, file)
        return "written"
    current = _sha256(path.read_bytes())
    if current == offered:
        return "unchanged"
    if current == before:
        _store(path, file)
        return "written"
    if offered == before:
        return "kept"
    _store(path.with_name(path.name + ".new"), file)
    return "beside"


def _store(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.data)
    path.chmod(0o755 if file.executable else 0o644)


def _copy(source: Path, goal: Path) -> None:
    if source.is_file():
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, goal)


def _train(folder: Path) -> None:
    """The example's model, by the program that comes with it.

    :raises ScaffoldFailed: the training fails.
    """
    done = subprocess.run([sys.executable, str(TEMPLATE / "train.py"), str(folder / EXAMPLE)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ScaffoldFailed(f"the example was not trained:\n{done.stderr}", "name a model file of your own with --model")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Write a project's files to the user's folder, and later upgrade those that the user did not change."""

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
from flyweight.toolkit import model_files
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import custom_steps
from flyweight.toolkit.scaffold.files import TEMPLATE, File, Plan, files, frameworks
from flyweight.toolkit.targets import all_targets, find

MANIFEST = ".flyweight.json"  # the sha256 of each file as written: a file with another sha256 was changed by the user
EXAMPLE = "models/iris.safetensors"
NEEDED = ("package", "runtime")  # the facets that a project uses: it builds for a target, and its tests run the build


class ScaffoldFailed(ToolkitError):
    """A project that can't be created or upgraded."""


@dataclass
class Changes:
    """The changes to a project's files.

    `written`, `unchanged`; `removed`: obsolete and not changed by the user; `kept`: changed by the user; `beside`: kept, and the
    new version was written as FILE.new.
    """

    folder: str
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def create(folder: Path, model: Path | None = None, targets: tuple[str, ...] = (), framework: str = "") -> Changes:
    """Create a project for a model file, or for an example that it trains, with the user's steps that are in use.

    :param targets: names of targets, () for all that can be built and run on this machine.
    :param framework: name of a web framework, for an application instead of functions; "" for functions.
    :raises ScaffoldFailed: the folder is a file or not empty, or there is no project for that framework.
    :raises ToolkitError: a target does not exist, or can't be built or run.
    :raises ModelRefused: the model file fails a check.
    """
    if folder.exists() and not folder.is_dir():
        raise ScaffoldFailed(f"{folder} is a file, and a project is a folder", next_step="choose another name")
    if folder.exists() and any(folder.iterdir()):
        hint = f"choose another folder, or upgrade a project of flyweight: flyweight new --upgrade {folder}"
        raise ScaffoldFailed(f"{folder} is not empty", next_step=hint)
    if framework and framework not in frameworks():
        raise ScaffoldFailed(f"there is no project for {framework[:80]!r}", f"choose one of {', '.join(frameworks())}")
    names = () if framework else targets or tuple(target.name for target in all_targets() if all(map(target.has, NEEDED)))
    for target in map(find, names):
        for facet in NEEDED:
            target.require(facet)
    if model is not None:
        model_files.load(str(model))  # refused before anything is written
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "model"
    own = custom_steps.source()
    path = EXAMPLE if model is None else f"models/{model.name}"
    plan = Plan(name, path, names, trains=model is None, steps=own is not None, framework=framework)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    if model is None:
        _train(folder)
    else:
        _copy(model, folder / plan.model)
        _copy(Path(f"{model}.sig"), folder / f"{plan.model}.sig")  # its signature, if it has one
    if own is not None:
        _copy(own, folder / plan.steps_file)
    return _write(folder, plan, {})


def upgrade(folder: Path) -> Changes:
    """Upgrade a project to this flyweight; files that the user changed are kept, and their new versions written as FILE.new.

    :raises ScaffoldFailed: flyweight did not create this folder, or its model is missing.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        names = manifest["targets"] if "targets" in manifest else manifest["providers"]  # the key of earlier versions
        own, framework = bool(manifest.get("steps")), str(manifest.get("framework", ""))
        plan = Plan(manifest["name"], manifest["model"], tuple(names), bool(manifest["trains"]), own, framework)
        before = {str(name): str(value) for name, value in manifest["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        hint = "create a project first: flyweight new DIR"
        raise ScaffoldFailed(f"{folder} has no readable {MANIFEST}", next_step=hint) from None
    if not (folder / plan.model).is_file():
        raise ScaffoldFailed(f"the model {folder / plan.model} is missing", f"restore it, or set another in {MANIFEST}")
    return _write(folder, plan, before)


def _write(folder: Path, plan: Plan, before: dict[str, str]) -> Changes:
    """Write files that are new or that the user did not change; record the sha256 of each offered file."""
    changes, offered = Changes(str(folder)), {}
    for name, file in files(plan, folder).items():
        offered[name] = _sha256(file.data)
        getattr(changes, _put(folder / name, file, before.get(name), offered[name])).append(name)
    for name in sorted({*before} - {*offered}):  # files of an older flyweight that this one does not have
        path = folder / name
        if path.is_file():
            ours = _sha256(path.read_bytes()) == before[name]
            (changes.removed if ours else changes.kept).append(name)
            path.unlink() if ours else None
    document: dict[str, Any] = {"flyweight": flyweight.__version__, "name": plan.name, "model": plan.model}
    document |= {"targets": [*plan.targets], "trains": plan.trains, "steps": plan.steps, "files": offered}
    document |= {"framework": plan.framework} if plan.framework else {}
    (folder / MANIFEST).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return changes


def _put(path: Path, file: File, before: str | None, offered: str) -> str:
    """Write or keep one file, and return the field of `Changes` that describes it.

    :param before: the sha256 of the version written or offered last; None if there was none.
    """
    if path.is_dir():
        return "kept"
    if not path.exists():
        if before is not None:
            return "kept"  # the user removed it
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
    """Train the example's model with its own program.

    :raises ScaffoldFailed: the training fails.
    """
    done = subprocess.run([sys.executable, str(TEMPLATE / "train.py"), str(folder / EXAMPLE)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ScaffoldFailed(f"the training of the example failed:\n{done.stderr}", "give your own model file with --model")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""A checked order to the files of its folder: handler, core, model, packages and bytecode, and the proof that they answer."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flyweight import settings
from flyweight.ops.own import MODULE
from flyweight.toolkit import resources
from flyweight.toolkit.building import bytecode, packages, proof, requirements, runtime_files, wheels
from flyweight.toolkit.building.errors import BuildFailed
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.building.spec import BuildSpec
from flyweight.toolkit.packing import custom_steps

MODEL = "model.safetensors"
SIGNATURE = f"{MODEL}.sig"
REQUIREMENTS, LOCK = "requirements.txt", ".lock.txt"
OWN = {MODEL, SIGNATURE, settings.ADDRESS_FILE, REQUIREMENTS, f"{MODULE}.py"}  # what a folder keeps where a layer takes the rest


def fill(draft: Path, order: BuildSpec) -> list[str]:
    """Handler, core, model and bytecode; what they need beside is listed in requirements.txt, and returned."""
    shutil.copytree(order.handler, draft, ignore=runtime_files.LEFT_OUT, dirs_exist_ok=True)
    runtime_files.copy(draft / "flyweight", None if order.address or order.every_op else order.model.file.document)
    if order.address:
        (draft / settings.ADDRESS_FILE).write_text(f"{order.address}\n")
    else:
        (draft / MODEL).write_bytes(order.model.file.data)  # what was checked, and not what may lie there by now
        if order.signature:
            (draft / SIGNATURE).write_bytes(order.signature)
    usual = resources.folder("handlers") / order.provider / REQUIREMENTS
    needs: dict[str, Any] = {"usual": usual, "address": order.address, "signed": bool(order.keys)}
    requires = requirements.add(draft / REQUIREMENTS, order.model.file.document, **needs)
    own = custom_steps.source()
    if own is not None:
        shutil.copyfile(own, draft / f"{MODULE}.py")
    if order.compiled and order.interpreter:
        bytecode.compile_tree(draft, order.interpreter)
    return requires


@dataclass(frozen=True)
class Installed:
    """What a function needs beside its folder's own files, as it was found.

    `pins`: all of it by name and version; `packages`: what was installed of it here; `place`: where; `shipped`: whether that is
    in the folder, and not a tree that only tells what the provider will install.
    """

    pins: list[str]
    packages: list[Package] = field(default_factory=list)
    place: Path | None = None
    shipped: bool = False


def install(draft: Path, order: BuildSpec, requires: list[str]) -> Installed:
    """Resolve what requirements.txt lists, and put it, trimmed and compiled, where the provider looks for it."""
    if not requires or not order.install:
        return Installed(requires)
    listed, locked, place = draft / REQUIREMENTS, draft.with_name(LOCK), draft.with_name("packages")
    system = wheels.System(order.arch, order.python, order.python in order.target.older)
    order.advance("finding wheels", 0, 0)
    pins = wheels.lock(listed, locked, system, order.constraint)
    requirements.settle(listed, pins)
    wheels.install(listed, locked, place, system, order.constraint)
    order.advance("finding wheels", 1, 1)
    if order.target.packages is None:
        return Installed(pins, packages.listed(place), place)
    return Installed(pins, _placed(draft, place, order, order.target.packages), draft / order.target.packages, shipped=True)


def _placed(draft: Path, place: Path, order: BuildSpec, goal: str) -> list[Package]:
    """The packages of a fresh tree, moved into the folder without what no function runs, and with bytecode."""
    packages.trim(place)
    if order.compiled and order.interpreter:
        bytecode.compile_packages(place, order.interpreter, lambda done, total: order.advance("compiling", done, total))
    found = packages.listed(place)
    (draft / goal).mkdir(parents=True, exist_ok=True)
    _merge(place, draft / goal)
    return found


def _merge(place: Path, goal: Path) -> None:
    for path in sorted(place.iterdir()):
        if path.name == "__pycache__" and (goal / path.name).is_dir():
            _merge(path, goal / path.name)
        elif (goal / path.name).exists():
            raise BuildFailed(f"a package brings {path.name}, which the handler has too", next_step="rename the handler's file")
        else:
            path.rename(goal / path.name)


def prove(draft: Path, order: BuildSpec, requires: list[str], installed: Installed) -> proof.Proof:
    """Let the model answer its own sample in the folder, where that can be done here."""
    reason = proof.elsewhere(order.arch) if installed.packages else ""
    if order.model.file.document.get("requires") and not installed.packages:
        reason = f"{', '.join(requires)} are not in the folder: the provider installs them, or whoever deploys"
    order.advance("proving", 0, 1)
    beside = [package.name for package in installed.packages if package.name in ("obstore", "cryptography")]
    places = [draft, *([installed.place] if installed.place else [])]
    where = "the built folder" if installed.shipped or not installed.place else "the built folder and what the provider installs"
    model = bytes(order.model.file.data)
    proven = proof.prove(places, model, order.interpreter, reason=reason, packages=" ".join(beside), where=where)
    order.advance("proving", 1, 1)
    return proven


def containerize(draft: Path, order: BuildSpec, installed: Installed) -> None:
    """Make the folder the context of an image: a Dockerfile, which installs what is not in the folder."""
    if order.target.dockerfile is None:
        return
    listed = draft / REQUIREMENTS
    lines = listed.read_text().splitlines() if listed.exists() else []
    wanted = not installed.shipped and any(line.strip() and not line.startswith("#") for line in lines)
    (draft / "Dockerfile").write_text(order.target.dockerfile(order.python, wanted))
    (draft / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")

"""Assemble the files of a checked spec: handler, core, model, packages and bytecode; then verify the model's answers."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from flyweight import protocols, settings
from flyweight.ops.own import MODULE
from flyweight.stores import STORES
from flyweight.toolkit.building import bytecode, handler_files, packages, proof, requirements, runtime_files, wheels
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.building.spec import BuildSpec
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.packing import custom_steps

MODEL = "model.safetensors"
SIGNATURE = f"{MODEL}.sig"
OVER_TLS, TLS = ("s3",), ("flyweight.stores.tls",)  # stores of clients of our own, and what these import to encrypt
REQUIREMENTS, LOCK = "requirements.txt", ".lock.txt"
OWN = {
    MODEL,
    SIGNATURE,
    settings.ADDRESS_FILE,
    REQUIREMENTS,
    f"{MODULE}.py",
}  # stays in the folder when the rest moves to a layer


def fill(draft: Path, spec: BuildSpec) -> list[str]:
    """Write handler, core, model and bytecode; write the packages that they need to requirements.txt, and return them."""
    beside = [spec.target.hall("handlers") / name for name in spec.package.beside]
    usual = spec.target.folder("handlers")
    handler_files.copy(spec.handler, beside, draft, own=spec.handler == usual)
    bundled = sorted(path.name for path in draft.glob("*.py")) if spec.handler == usual else []  # a user's modules are not
    document = None if spec.address or spec.options.every_op else spec.model.file.document
    accelerated, batches = spec.package.image is not None, spec.package.batches
    runtime_files.copy(draft / "flyweight", document, spec.protocols, accelerated, batches)
    if spec.address:
        (draft / settings.ADDRESS_FILE).write_text(f"{spec.address}\n", encoding="utf-8", newline="\n")
    else:
        (draft / MODEL).write_bytes(spec.model.file.data)  # the bytes that were checked; the file may have changed since
        if spec.signature:
            (draft / SIGNATURE).write_bytes(spec.signature)
    listed, signed = draft / REQUIREMENTS, bool(spec.options.keys)
    # a protocol that was not named is there for those who want it: it says which package it needs
    asked = [protocols.find(name) for name in spec.options.protocols if name != "all"]
    libraries = [package for protocol in asked for package in getattr(protocol, "REQUIRES", ())]
    address = "" if spec.address.partition("://")[0] in spec.package.reads else spec.address
    requires = requirements.add(
        listed, spec.model.file.document, usual=usual / REQUIREMENTS, address=address, signed=signed, protocols=libraries
    )
    own = custom_steps.source()
    if own is not None:
        shutil.copyfile(own, draft / f"{MODULE}.py")
    if spec.compiler:
        bytecode.compile_tree(draft, spec.compiler, bundled)
        if bundled and spec.package.first:
            _join_first(draft, spec, spec.compiler)
    return requires


def _join_first(draft: Path, spec: BuildSpec, python: str) -> None:
    """Have a folder's bytecode of a cold start in one piece, with the store that its address names."""
    scheme, _, _ = spec.address.partition("://")
    stores = [STORES[scheme], *TLS] if scheme in spec.package.reads and scheme in OVER_TLS else []
    model = bytes(spec.model.file.data) if spec.address else None
    bytecode.join_first(draft, python, [*stores, *spec.package.first], model)


@dataclass(frozen=True)
class Installed:
    """The packages of a function.

    `pins`: their names and versions; `packages`: those installed here; `place`: where; `shipped`: whether that place is in the
    folder, and not a temporary tree that only shows what the target will install.
    """

    pins: list[str]
    packages: list[Package] = field(default_factory=list)
    place: Path | None = None
    shipped: bool = False


def install(draft: Path, spec: BuildSpec, requires: list[str]) -> Installed:
    """Resolve requirements.txt, and install its packages, trimmed and compiled, where the target looks for them."""
    if not requires or not spec.options.install:
        return Installed(requires)
    listed, locked, place = draft / REQUIREMENTS, draft.with_name(LOCK), draft.with_name("packages")
    system = wheels.System(spec.arch, spec.options.python, spec.package.old_glibc(spec.options.python))
    spec.advance("finding wheels", 0, 0)
    pins = wheels.lock(listed, locked, system, spec.options.constraint)
    requirements.settle(listed, pins)
    wheels.install(listed, locked, place, system, spec.options.constraint)
    spec.advance("finding wheels", 1, 1)
    goal = spec.package.packages
    if goal is None and spec.options.form != "oci":
        return Installed(pins, packages.listed(place), place)
    goal = goal or "."  # nobody installs anything into an image that is written here
    return Installed(pins, _placed(draft, place, spec, goal), draft / goal, shipped=True)


def _placed(draft: Path, place: Path, spec: BuildSpec, goal: str) -> list[Package]:
    """Move the packages of a fresh tree into the folder, without files that no function runs, and with bytecode."""
    packages.trim(place)
    if spec.compiler:
        bytecode.compile_packages(place, spec.compiler, lambda done, total: spec.advance("compiling", done, total))
    found = packages.listed(place)
    (draft / goal).mkdir(parents=True, exist_ok=True)
    _merge(place, draft / goal)
    return found


def _merge(place: Path, goal: Path) -> None:
    """Move the contents of a folder into another.

    :raises BuildFailed: a package contains a file that the handler contains too.
    """
    for path in sorted(place.iterdir()):
        if path.name == "__pycache__" and (goal / path.name).is_dir():
            _merge(path, goal / path.name)
        elif (goal / path.name).exists():
            raise BuildFailed(f"a package contains {path.name}, and so does the handler", next_step="rename the handler's file")
        else:
            path.rename(goal / path.name)


def prove(draft: Path, spec: BuildSpec, requires: list[str], installed: Installed) -> proof.Proof:
    """Verify the model's answers to its own sample in the folder, if this machine can run it."""
    reason = proof.elsewhere(spec.arch) if installed.packages else ""
    if spec.model.file.document.get("requires") and not installed.packages:
        reason = f"{', '.join(requires)} are not in the folder: the provider or the user installs them"
    spec.advance("proving", 0, 1)
    beside = [package.name for package in installed.packages if package.name in ("obstore", "cryptography")]
    places = [draft, *([installed.place] if installed.place else [])]
    where = (
        "the built folder"
        if installed.shipped or not installed.place
        else "the built folder and the packages that the provider installs"
    )
    model = bytes(spec.model.file.data)
    proven = proof.prove(places, model, spec.interpreter, reason=reason, packages=" ".join(beside), where=where)
    spec.advance("proving", 1, 1)
    return proven


def containerize(draft: Path, spec: BuildSpec, installed: Installed) -> None:
    """Make the folder the context of an image: add a Dockerfile, which installs the packages that are not in the folder."""
    if spec.package.dockerfile is None:
        return
    listed = draft / REQUIREMENTS
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    installs = not installed.shipped and any(line.strip() and not line.startswith("#") for line in lines)
    text = spec.package.dockerfile(spec.options.python, installs)
    if spec.options.base:
        text = re.sub("^FROM .*$", lambda _: f"FROM {spec.options.base}", text, count=1, flags=re.MULTILINE)
    (draft / "Dockerfile").write_text(text, encoding="utf-8", newline="\n")
    (draft / ".dockerignore").write_text("Dockerfile\n.dockerignore\n", encoding="utf-8", newline="\n")

"""A model and a provider's name to a folder, and what is made of it: the same bytes each time, or nothing at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import flyweight
from flyweight.toolkit.building import archive, assembly, report, sbom, wheels
from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.building.assembly import MODEL
from flyweight.toolkit.building.errors import BuildFailed
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.building.proof import Proof
from flyweight.toolkit.building.spec import BuildSpec, checked, stored

__all__ = ["MARKER", "MODEL", "MOMENT", "BuildFailed", "Built", "build", "document", "stored"]

MARKER = "flyweight.json"  # says what a folder was built from, and that `build` may replace it
ZIP, LAYER, PARTS, LOCK = ".zip", ".layer.zip", ".cdx.json", assembly.LOCK  # beside the folder, under its name


@dataclass(frozen=True)
class Built:
    """A built folder, and what it was built from.

    `python`: the version its bytecode is for, None without bytecode; `runtime`: the version that it is for; `size`: the bytes of
    all its files, a layer's included; `requires`: what the model's engine, its store, its signature and its handler need;
    `packages`: that, and all that it needs in turn, as it was installed; `shipped`: whether they are in the folder, and not left
    to the provider; `artifacts`: what lies beside the folder; `limits`: how near they are; `proof`: whether the model answered.
    """

    provider: str
    folder: Path
    model: str
    version: str
    sha256: str
    python: str | None
    files: int
    size: int
    requires: list[str]
    runtime: str
    arch: str
    form: str
    proof: Proof
    packages: list[Package] = field(default_factory=list)
    shipped: bool = False
    artifacts: list[Path] = field(default_factory=list)
    limits: list[report.Measured] = field(default_factory=list)


def build(
    provider: str,
    model: str | Path,
    out: str | Path,
    *,
    python: str = "3.13",
    with_bytecode: bool = True,
    arch: str | None = None,
    form: str = "folder",
    install: bool = False,
    handler: Path | None = None,
    constraint: Path | None = None,
    every_op: bool = False,
    keys: tuple[str, ...] = (),
    advance: Callable[[str, int, int], None] = lambda *_: None,
) -> Built:
    """Make the folder `out`, which `sam deploy`, `gcloud functions deploy` or `func azure functionapp publish` takes as it is.

    :param model: a model file, or an address in a store, where the model then stays; the function needs obstore for most.
    :param python: the Python that the function will run on, as `3.13`.
    :param with_bytecode: whether to ship bytecode, if that Python is here; without it each cold start compiles anew.
    :param arch: `x86_64` or `arm64`, the provider's own default if None; it matters to installed packages only.
    :param form: `folder`; `zip` or `layer`, which lie beside it; `image`, which makes it a Dockerfile's context.
    :param install: whether what the engine and the store need goes into the folder, where the provider does not install it.
    :param handler: the provider's handler, if it is not flyweight's own.
    :param constraint: a file of versions that installed packages keep to.
    :param every_op: whether to ship ops that this model does not need, for models that are read from elsewhere.
    :param keys: public keys, one of which has to have signed the model; the function can then verify signatures itself.
    :param advance: is told of stages by name, with what is done and how much there is.
    :raises ModelRefused: the model file fails a check.
    :raises BuildFailed: no such provider or Python, over a limit, an unproven model, or `out` holds something else.
    :raises OSError: the model can't be read, or `out` can't be written.
    """
    out = Path(out).resolve()
    _check_replaceable(out)
    known: dict[str, Any] = checked(provider, str(model), python, arch, form, handler, keys)
    wishes: dict[str, Any] = {"compiled": with_bytecode, "install": install, "constraint": constraint, "every_op": every_op}
    order = BuildSpec(**known, **wishes, advance=advance)
    out.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        return _make(order, place, out)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def document(built: Built) -> dict[str, object]:
    """What was built, for JSON."""
    artifacts = [str(path) for path in built.artifacts]
    return {**asdict(built), "folder": str(built.folder), "artifacts": artifacts}


def _make(order: BuildSpec, place: Path, out: Path) -> Built:
    draft = place / "folder"
    draft.mkdir()
    requires = assembly.fill(draft, order)
    installed = assembly.install(draft, order, requires)
    packages, shipped = installed.packages, installed.shipped
    proof = assembly.prove(draft, order, requires, installed)
    if order.form == "image":
        assembly.containerize(draft, order, installed)
    about = {"python": order.python if order.compiled and order.interpreter else None, "runtime": order.python}
    marker: dict[str, Any] = {"flyweight": flyweight.__version__, "provider": order.provider, **about}
    marker |= {"arch": order.arch if shipped else None, **order.source}
    marker |= {"packages": {package.name: package.version for package in packages} if shipped else {}}
    (draft / MARKER).write_text(json.dumps(marker, indent=2) + "\n")
    files, size = _settle(draft)
    order.advance("measuring", 0, 1)
    archives = cache(partial(_archives, order, draft, place))  # made when asked for, which a folder over its limits never is
    whole = size if shipped else size + sum(package.size for package in packages)
    limits = report.against(order.target.limits, order.form, whole, lambda: _zipped(archives(), draft), packages)
    (place / PARTS).write_text(sbom.text(order.source, packages, [] if packages else installed.pins, order.provider, shipped))
    beside = [PARTS, *([LOCK] if (place / LOCK).exists() else [])]
    artifacts = _put_in_place(place, out, [*beside, *archives()])
    order.advance("measuring", 1, 1)
    found: dict[str, Any] = {"files": files, "size": size, "requires": requires, "packages": packages, "shipped": shipped}
    found |= {"artifacts": artifacts, "limits": limits, "proof": proof, **about, **order.source}
    return Built(provider=order.provider, folder=out, arch=order.arch, form=order.form, **found)


def _zipped(archives: list[str], draft: Path) -> int:
    """The bytes that are uploaded."""
    return draft.with_name(archives[0]).stat().st_size if archives else report.zipped_size(draft)


def _archives(order: BuildSpec, draft: Path, place: Path) -> list[str]:
    """Make what this form has beside the folder, by name; a layer takes core and packages out of it."""
    if order.form == "zip":
        archive.write(draft, place / ZIP)
        return [ZIP]
    if order.form != "layer" or order.target.layer is None:
        return []
    shared = place / "layer"
    shared.mkdir()
    own = {path.name for path in order.handler.iterdir()} | {MARKER, MODEL, *assembly.OWN}
    for path in sorted(draft.iterdir()):
        if path.name not in own and path.name != "__pycache__":
            path.rename(shared / path.name)
    for code in (draft / "__pycache__").glob("*.pyc"):
        if f"{code.name.partition('.')[0]}.py" not in own:
            (shared / "__pycache__").mkdir(exist_ok=True)
            code.rename(shared / "__pycache__" / code.name)
    _settle(shared), _settle(draft)
    archive.write(shared, place / LAYER, f"{order.target.layer}/")
    return [LAYER]


def _check_replaceable(out: Path) -> None:
    if out.is_dir() and (not any(out.iterdir()) or (out / MARKER).is_file()):
        return
    if out.exists():
        reason = f"{out} is there already, and flyweight did not build it"
        raise BuildFailed(reason, next_step="choose another folder, or remove it yourself")


def _settle(draft: Path) -> tuple[int, int]:
    """Give every file one moment and the rights that a function's user needs, whatever the builder's umask; count them."""
    files, size = 0, 0
    for path in [*draft.rglob("*"), draft]:
        path.chmod(archive.rights(path))
        os.utime(path, (MOMENT, MOMENT))
        if path.is_file():
            files, size = files + 1, size + path.stat().st_size
    return files, size


def _put_in_place(place: Path, out: Path, made: list[str]) -> list[Path]:
    """Rename the draft to `out`, and what lies beside it likewise; what was there goes aside first and is removed last."""
    if out.exists():
        out.rename(place / "before")
    try:
        (place / "folder").rename(out)
    except OSError:
        if (place / "before").exists():
            (place / "before").rename(out)
        raise
    for name in (ZIP, LAYER):  # of an earlier build, which the folder no longer is
        other = out.with_name(out.name + name)
        if name not in made and archive.made_here(other, (MARKER, "python/flyweight/__init__.py")):
            other.unlink()
    if LOCK not in made and wheels.made_here(out.with_name(out.name + LOCK)):
        out.with_name(out.name + LOCK).unlink()
    return [(place / name).replace(out.with_name(out.name + name)) for name in made]

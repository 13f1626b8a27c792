"""Build a model for a target into a folder and its archives: the same bytes each time, written completely or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import flyweight
from flyweight.settings import ADDRESS_FILE
from flyweight.toolkit import images
from flyweight.toolkit.building import archive, assembly, report, wheels
from flyweight.toolkit.building import image as image_of_build
from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.building.assembly import MODEL, Installed
from flyweight.toolkit.building.packages import Package
from flyweight.toolkit.building.proof import Proof
from flyweight.toolkit.building.spec import BuildOptions, BuildSpec, checked, stored
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.images.bases import Base
from flyweight.toolkit.targets.package import MARKER, image_of

__all__ = ["MARKER", "MODEL", "MOMENT", "BuildFailed", "Built", "build", "document", "model_of", "stored"]

# suffixes of what is next to the folder
ZIP, LAYER, OCI, PARTS, LOCK = ".zip", ".layer.zip", ".oci", ".cdx.json", assembly.LOCK


@dataclass(frozen=True)
class Built:
    """A built folder, and what it was built from.

    `python`: the Python version of its bytecode, None without bytecode; `runtime`: the Python version of the function; `size`:
    bytes of all files, including a layer; `requires`: requirements of the model's engine, store, signature and handler;
    `packages`: these and their dependencies, as installed; `shipped`: whether they are in the folder, and not installed by the
    provider; `artifacts`: the files next to the folder; `limits`: its size against each limit; `proof`: the check of its answers;
    `image`: the image of the form `oci`.
    """

    target: str
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
    image: images.Written | None = None


def build(
    target: str,
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
    protocols: tuple[str, ...] = (),
    base: str = "",
    advance: Callable[[str, int, int], None] = lambda *_: None,
) -> Built:
    """Build the folder `out` for `sam deploy`, `gcloud functions deploy` or `func azure functionapp publish`.

    :param model: a model file, or an address in a store, from which the function loads the model; most stores need obstore.
    :param python: the Python version of the function, such as `3.13`.
    :param with_bytecode: whether to include bytecode, if that Python is installed; without it, each cold start compiles.
    :param arch: `x86_64` or `arm64`, the target's own default if None; it matters to installed packages only.
    :param form: `folder`; `zip` or `layer`, written next to it; `image`, with a Dockerfile in it; `oci`, an
        image layout next to it.
    :param install: whether to install the packages of the engine and the store into the folder, unless the provider does it.
    :param handler: the folder of the handler, if it is not flyweight's own.
    :param constraint: a file with versions of packages to use.
    :param every_op: whether to include ops that this model does not need, for models that are loaded from elsewhere.
    :param keys: public keys, by one of which the model must be signed; the function can then verify signatures itself.
    :param protocols: names of protocols to include beside the target's own; `all` for each that exists.
    :param base: the OCI layout of the image below that of the form `oci`, or the image that the Dockerfile begins from.
    :param advance: called with each stage's name, the amount done, and the total amount.
    :raises ModelRefused: the model file fails a check.
    :raises ToolkitError: the target does not exist, or can't be built.
    :raises BuildFailed: the Python does not exist, a limit is exceeded, answers differ, or `out` contains other files.
    :raises OSError: the model can't be read, or `out` can't be written.
    """
    out = Path(out).resolve()
    _check_replaceable(out)
    _check_outside(out, handler)
    options = BuildOptions(python, with_bytecode, arch, form, install, handler, constraint, every_op, keys, protocols, base)
    spec = checked(target, str(model), options, advance)
    out.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        with image_of_build.base(spec) as below:
            return _make(spec, below, place, out)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def model_of(folder: Path) -> str:
    """Name the model of a built folder: the path of its file, or its address in a store.

    :raises BuildFailed: none exists in the folder.
    """
    address, model = folder / ADDRESS_FILE, folder / MODEL
    if address.is_file():
        return address.read_text(encoding="utf-8").strip()
    if not model.is_file():
        raise BuildFailed(
            f"{folder} has neither {MODEL} nor {ADDRESS_FILE}", f"build it: flyweight build TARGET --model FILE -o {folder}"
        )
    return str(model)


def document(built: Built) -> dict[str, object]:
    """Describe the build as a JSON object."""
    artifacts = [str(path) for path in built.artifacts]
    image = {} if built.image is None else {"image": {**asdict(built.image), "layout": str(built.image.layout)}}
    return {**asdict(built), "folder": str(built.folder), "artifacts": artifacts, **image}


def _make(spec: BuildSpec, below: list[Base], place: Path, out: Path) -> Built:
    draft = place / "folder"
    draft.mkdir()
    requires = assembly.fill(draft, spec)
    if spec.package.check is not None:
        spec.package.check(draft)
    installed = assembly.install(draft, spec, requires)
    packages, shipped, form = installed.packages, installed.shipped, spec.options.form
    proof = assembly.prove(draft, spec, requires, installed)
    if form == "image":
        assembly.containerize(draft, spec, installed)
    marker = _marker(spec, installed)
    (draft / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8", newline="\n")
    if spec.package.further is not None:
        spec.package.further(draft, marker)
    files, size = _settle(draft)
    spec.advance("measuring", 0, 1)
    from flyweight.toolkit.building import sbom  # late: its library takes 0.2 s, and many verbs import this module

    parts = sbom.text(spec.source, packages, [] if packages else installed.pins, spec.target.name, shipped)
    (place / PARTS).write_text(parts, encoding="utf-8", newline="\n")
    archives = cache(partial(_archives, spec, draft, place))  # made on demand: not if the folder exceeds a limit
    whole = size if shipped else size + sum(package.size for package in packages)
    limits = report.against(spec.package.limits, form, whole, lambda: _zipped(archives(), draft), packages)
    image = image_of_build.write(spec, below, draft, installed, place / PARTS, place / OCI) if form == "oci" else None
    beside = [PARTS, *(name for name in (LOCK, OCI) if (place / name).exists())]
    artifacts = _put_in_place(place, out, [*beside, *archives()])
    spec.advance("measuring", 1, 1)
    return Built(
        target=spec.target.name, folder=out, **spec.source, python=spec.options.python if spec.compiler else None, files=files,
        size=size, requires=requires, runtime=spec.options.python, arch=spec.arch, form=form, proof=proof, packages=packages,
        shipped=shipped, artifacts=artifacts, limits=limits,
        image=image and replace(image, layout=image_of(out)),
    )  # fmt: skip


def _marker(spec: BuildSpec, installed: Installed) -> dict[str, Any]:
    """Return the contents of the folder's marker file."""
    return {
        "flyweight": flyweight.__version__,
        "target": spec.target.name,
        "python": spec.options.python if spec.compiler else None,
        "runtime": spec.options.python,
        "arch": spec.arch if installed.shipped else None,
        **spec.source,
        "packages": {package.name: package.version for package in installed.packages} if installed.shipped else {},
    }


def _zipped(archives: list[str], draft: Path) -> int:
    """Return the number of bytes to upload."""
    return draft.with_name(archives[0]).stat().st_size if archives else report.zipped_size(draft)


def _archives(spec: BuildSpec, draft: Path, place: Path) -> list[str]:
    """Write the archives of this form and return them by name; for a layer, core and packages move out of the folder."""
    if spec.options.form == "zip":
        archive.write(draft, place / ZIP)
        return [ZIP]
    if spec.options.form != "layer" or spec.package.layer is None:
        return []
    shared = place / "layer"
    shared.mkdir()
    own = {path.name for path in spec.handler.iterdir()} | {MARKER, MODEL, *assembly.OWN}
    for path in sorted(draft.iterdir()):
        if path.name not in own and path.name != "__pycache__":
            path.rename(shared / path.name)
    for code in (draft / "__pycache__").glob("*.pyc"):
        if f"{code.name.partition('.')[0]}.py" not in own:
            (shared / "__pycache__").mkdir(exist_ok=True)
            code.rename(shared / "__pycache__" / code.name)
    _settle(shared), _settle(draft)
    archive.write(shared, place / LAYER, f"{spec.package.layer}/")
    return [LAYER]


def _check_replaceable(out: Path) -> None:
    """Check that `out`, and the layout of an image next to it, do not exist, or are of an earlier build.

    :raises BuildFailed: one of them contains files that flyweight did not build.
    """
    layout = image_of(out)
    if layout.exists() and not images.made_here(layout):
        raise BuildFailed(f"{layout} exists already, and flyweight did not build it", "move it, or choose another folder (-o)")
    if out.is_dir() and (not any(out.iterdir()) or (out / MARKER).is_file()):
        return
    if out.exists():
        reason = f"{out} exists already, and flyweight did not build it"
        raise BuildFailed(reason, next_step="choose another folder, or remove it yourself")


def _check_outside(out: Path, handler: Path | None) -> None:
    """Check that `out` is not in the handler's folder, whose files would then be copied into themselves.

    :raises BuildFailed: it is.
    """
    if handler is not None and out.is_relative_to(handler.resolve()):
        reason = f"{out} is in the handler's folder {handler}, all of which is copied to it"
        raise BuildFailed(reason, "put the handler's files into a folder of their own, or build outside of it (-o)")


def _settle(draft: Path) -> tuple[int, int]:
    """Give every file a fixed time and the permissions that a function's user needs, under any umask; count the files."""
    files, size = 0, 0
    for path in [*draft.rglob("*"), draft]:
        path.chmod(archive.rights(path))
        os.utime(path, (MOMENT, MOMENT))
        if path.is_file():
            files, size = files + 1, size + path.stat().st_size
    return files, size


def _put_in_place(place: Path, out: Path, made: list[str]) -> list[Path]:
    """Rename the draft to `out`, and its archives likewise; an earlier build is renamed first and removed last."""
    before = [(path, place / f"{path.name} before") for path in (out, image_of(out)) if path.exists()]
    for path, aside in before:
        path.rename(aside)
    try:
        (place / "folder").rename(out)
    except OSError:
        for path, aside in before:
            aside.rename(path)
        raise
    for name in (ZIP, LAYER):  # archives of an earlier build of another form
        other = out.with_name(out.name + name)
        if name not in made and archive.made_here(other, (MARKER, "python/flyweight/__init__.py")):
            other.unlink()
    if LOCK not in made and wheels.made_here(out.with_name(out.name + LOCK)):
        out.with_name(out.name + LOCK).unlink()
    return [(place / name).replace(out.with_name(out.name + name)) for name in made]

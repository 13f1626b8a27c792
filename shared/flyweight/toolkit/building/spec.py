"""Check a build before anything is written: target, model, Python, architecture and form."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flyweight import predictor, protocols, settings
from flyweight.errors import FlyweightError
from flyweight.registry import verification
from flyweight.serving.sources import ModelSource
from flyweight.toolkit import model_files, targets
from flyweight.toolkit.building import bytecode
from flyweight.toolkit.errors import BuildFailed
from flyweight.toolkit.publishing import signing
from flyweight.toolkit.targets import Target
from flyweight.toolkit.targets.package import PackageSpec

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
FORMS = ("folder", "zip", "layer", "image", "oci")
ADVICE = "check the address (`flyweight models ls STORE` lists the models), and your permission to read it (docs/registry.md)"


@dataclass(frozen=True)
class BuildOptions:
    """The options of a build.

    `python`: the Python version of the function, such as `3.13`; `with_bytecode`: whether to include bytecode; `arch`: `x86_64`
    or `arm64`, None for the target's default; `form`: one of `FORMS`; `install`: whether to install packages into the folder;
    `handler`: the folder of a handler that is not flyweight's own; `constraint`: a file with versions of packages to use;
    `every_op`: whether to include ops that the model does not need; `keys`: public keys, by one of which the model must be
    signed; `protocols`: names of protocols to include beside the target's own; `base`: for an image, the layout below it (`oci`),
    or the reference that its Dockerfile begins from (`image`).
    """

    python: str = "3.13"
    with_bytecode: bool = True
    arch: str | None = None
    form: str = "folder"
    install: bool = False
    handler: Path | None = None
    constraint: Path | None = None
    every_op: bool = False
    keys: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True)
class BuildSpec:
    """A checked build.

    `address`: the model's address in a store, empty if the folder contains it; `signature`: the contents of the model's signature
    file; `interpreter`: a Python of the function's version on this machine, or None; `advance`: called with each stage.
    """

    target: Target
    package: PackageSpec
    options: BuildOptions
    handler: Path
    model: predictor.Predictor
    address: str
    signature: bytes
    interpreter: str | None
    arch: str
    advance: Callable[[str, int, int], None]

    @property
    def source(self) -> dict[str, str]:
        """The model's document."""
        return {"model": self.model.name, "version": self.model.version, "sha256": self.model.file.sha256}

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that the folder answers, `native` first."""
        asked = (*self.target.protocols, *self.options.protocols)
        every = protocols.names()
        return ("native", *[name for name in every if name != "native" and (name in asked or "all" in asked)])

    @property
    def compiler(self) -> str | None:
        """The interpreter that compiles bytecode; None if none is wanted or read, or that Python is not on this machine."""
        return self.interpreter if self.options.with_bytecode and not self.package.alone else None


def checked(target: str, model: str, options: BuildOptions, advance: Callable[[str, int, int], None]) -> BuildSpec:
    """Check the options, and load the model.

    :raises ToolkitError: the target, Python, architecture or form does not exist, or the target can't be built.
    :raises FlyweightError: the model can't be loaded, or is refused.
    """
    place = targets.find(target)
    package = place.package
    arch = options.arch or package.architectures[0]
    _among("Python", options.python, PYTHONS, target)
    _among("architecture", arch, package.architectures, target)
    _among("form", options.form, tuple(form for form in FORMS if _makes(package, form)), target)
    _check_base(options)
    for name in options.protocols:
        _among("protocol", name, ("all", *protocols.names()), target)
    handler = options.handler or place.folder("handlers")
    if not handler.is_dir():
        raise BuildFailed(f"the handler's folder {handler} does not exist", "give another --handler, or omit it")
    if not any(path.is_file() and (path.suffix == ".py" or os.access(path, os.X_OK)) for path in handler.iterdir()):
        step = f"give the folder with the files that {target} starts (handlers/README.md), or omit --handler"
        raise BuildFailed(f"the handler's folder {handler} has no program, neither in Python nor executable", step)
    address = model if "://" in model else ""
    loaded, signature = (stored(address, options.keys), b"") if address else _shipped(model, options.keys)
    interpreter = _interpreter(options.python)
    return BuildSpec(place, package, options, handler, loaded, address, signature, interpreter, arch, advance)


def stored(address: str, keys: tuple[str, ...] = ()) -> predictor.Predictor:
    """Load the model that is now at an address in a store.

    :param keys: public keys, by one of which it must be signed; () for no check.
    :raises FlyweightError: it can't be loaded, or is refused.
    """
    verification = settings.Verification(public_keys=keys)
    deployment = settings.Settings(address, caching=settings.Caching(cache_dir="off"), verification=verification)
    try:
        return ModelSource(deployment).load(address, {}).predictor
    except FlyweightError as error:
        if not getattr(error, "next_step", ""):
            error.next_step = ADVICE  # type: ignore[attr-defined]  # set here, because the core's errors give no advice on the toolkit
        raise


def _shipped(model: str, keys: tuple[str, ...]) -> tuple[predictor.Predictor, bytes]:
    """Load a model file and the contents of its signature file, b"" without one; both are copied to the build."""
    loaded = model_files.load(model)
    if keys:
        verification.check(loaded.file.sha256, loaded.name, loaded.version, verification.beside(model), keys)
    if signing.read_for(Path(model), loaded.file.sha256) is None:
        return loaded, b""
    return loaded, Path(f"{model}.sig").read_bytes()


def _makes(package: PackageSpec, form: str) -> bool:
    return {"layer": package.layer, "image": package.dockerfile, "oci": package.image}.get(form, True) is not None


def _check_base(options: BuildOptions) -> None:
    """Check that an image has a base, and that nothing else has one.

    :raises BuildFailed: the base is missing, or not wanted.
    """
    if options.form == "oci" and not options.base:
        slim = f"python:{options.python}-slim"
        step = f"flyweight image pull {slim} base.oci, then --base base.oci; or write a Dockerfile with --as image"
        raise BuildFailed(f"an image needs a base with Python {options.python}: our own layers hold none", step)
    if options.base and options.form not in ("oci", "image"):
        raise BuildFailed(f"a {options.form} has no base", "give --as oci or --as image with --base")


def _among(what: str, value: str, choices: tuple[str, ...], target: str) -> None:
    """Check a value.

    :raises BuildFailed: the value is not one of the choices.
    """
    if value not in choices:
        raise BuildFailed(f"{target} does not support {what} {value!r}", f"choose one of {', '.join(choices)}")


def _interpreter(python: str) -> str | None:
    try:
        return bytecode.interpreter(python)
    except bytecode.NoSuchPython:
        return None

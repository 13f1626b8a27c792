"""What is to be built, checked before anything is written: provider, model, Python, architecture and form."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flyweight import predictor, settings
from flyweight.errors import FlyweightError
from flyweight.registry import verification
from flyweight.serving.sources import ModelSource
from flyweight.toolkit import resources
from flyweight.toolkit.building import bytecode
from flyweight.toolkit.building.errors import BuildFailed
from flyweight.toolkit.publishing import signing
from flyweight.toolkit.targets.package import Target, target

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
FORMS = ("folder", "zip", "layer", "image")
ELSEWHERE = "see that the address is right (`flyweight models ls STORE` lists what is there), and who asks (docs/registry.md)"


@dataclass(frozen=True)
class BuildSpec:
    """A build that can begin.

    `address`: where the model stays, empty if it is shipped; `interpreter`: a Python of the target's version on this machine, if
    there is one; `compiled`: whether bytecode is wanted; `install`: whether packages go into the folder; `keys`: one of them
    has signed the model; `signature`: what lies beside the model's file; `advance`: is told of each stage.
    """

    provider: str
    target: Target
    handler: Path
    model: predictor.Predictor
    address: str
    python: str
    interpreter: str | None
    compiled: bool
    arch: str
    form: str
    install: bool
    constraint: Path | None
    every_op: bool
    keys: tuple[str, ...]
    signature: bytes
    advance: Callable[[str, int, int], None]

    @property
    def source(self) -> dict[str, str]:
        """What the model is."""
        return {"model": self.model.name, "version": self.model.version, "sha256": self.model.file.sha256}


def checked(
    provider: str, model: str, python: str, arch: str | None, form: str, handler: Path | None, keys: tuple[str, ...] = ()
) -> dict[str, object]:
    """The parts of an order that can be wrong.

    :raises BuildFailed: there is no such provider, Python, architecture or form.
    :raises FlyweightError: the model can't be had, or it is refused.
    """
    if provider not in resources.providers():
        raise BuildFailed(f"there is no provider {provider!r}", next_step=f"choose one of {', '.join(resources.providers())}")
    wanted = target(provider)
    _among("Python", python, PYTHONS, provider)
    _among("architecture", arch or wanted.architectures[0], wanted.architectures, provider)
    _among("form", form, tuple(form for form in FORMS if _makes(wanted, form)), provider)
    folder = handler or resources.folder("handlers") / provider
    if not folder.is_dir():
        raise BuildFailed(f"there is no handler's folder {folder}", next_step="name one with --handler, or leave it out")
    address = model if "://" in model else ""
    found, signature = (stored(address, keys), b"") if address else _shipped(model, keys)
    return {
        "provider": provider,
        "target": wanted,
        "handler": folder,
        "address": address,
        "model": found,
        "keys": keys,
        "signature": signature,
        "python": python,
        "interpreter": _found(python),
        "arch": arch or wanted.architectures[0],
        "form": form,
    }


def stored(address: str, keys: tuple[str, ...] = ()) -> predictor.Predictor:
    """The model at an address in a store, as it is now.

    :param keys: public keys, one of which has signed it, if there are any.
    :raises FlyweightError: it can't be had, or it is refused.
    """
    trust = settings.Trust(public_keys=keys)
    deployment = settings.Settings(address, caching=settings.Caching(cache_dir="off"), trust=trust)
    try:
        return ModelSource(deployment).load(address, {}).predictor
    except FlyweightError as error:
        if not getattr(error, "next_step", ""):
            error.next_step = ELSEWHERE  # type: ignore[attr-defined]  # which has no place in a function's own code
        raise


def _shipped(model: str, keys: tuple[str, ...]) -> tuple[predictor.Predictor, bytes]:
    """The model in a file, and the signature that lies beside it, which goes where it goes; empty where there is none."""
    found = predictor.load(model)
    if keys:
        verification.check(found.file.sha256, found.name, found.version, verification.beside(model), keys)
    if signing.of_these_bytes(Path(model), found.file.sha256) is None:
        return found, b""
    return found, Path(f"{model}.sig").read_bytes()


def _makes(wanted: Target, form: str) -> bool:
    return {"layer": wanted.layer, "image": wanted.dockerfile}.get(form, True) is not None


def _among(what: str, given: str, choices: tuple[str, ...], provider: str) -> None:
    if given not in choices:
        raise BuildFailed(f"there is no {what} {given!r} for {provider}", next_step=f"choose one of {', '.join(choices)}")


def _found(python: str) -> str | None:
    try:
        return bytecode.interpreter(python)
    except bytecode.NoSuchPython:
        return None

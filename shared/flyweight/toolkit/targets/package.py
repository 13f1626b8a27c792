"""What a provider asks of a built folder, one file a provider, named like its folder in `handlers/`, each with a `TARGET`."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

MIB = 1 << 20
ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True)
class Limit:
    """How large something may be: the files, or their zip; `refuses`: nothing deploys what is larger; else there is a way around.

    `forms`: the forms of a build that it holds for; `next_step`: what to do beyond it.
    """

    name: str
    size: int
    next_step: str
    zipped: bool = False
    refuses: bool = False
    forms: tuple[str, ...] = ("folder", "zip", "layer")


@dataclass(frozen=True)
class Target:
    """One provider.

    `architectures`: what its machines are, the default first; `packages`: where in the folder installed packages lie, None if
    the provider installs them by itself; `older`: the Pythons whose system is older than glibc 2.28; `layer`: the folder that a
    layer's files lie in; `dockerfile`: from the Python's version, and whether packages are to be installed, to a Dockerfile.
    """

    architectures: tuple[str, ...] = ARCHITECTURES
    packages: str | None = "."
    older: tuple[str, ...] = ()
    layer: str | None = None
    limits: tuple[Limit, ...] = ()
    dockerfile: Callable[[str, bool], str] | None = None


def target(provider: str) -> Target:
    """What is known of a provider; a new one without a file here takes everything, at the root of its folder."""
    found: Target = import_module(f"flyweight.toolkit.targets.{provider}.package").TARGET
    return found

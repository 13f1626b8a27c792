"""The environment, read once into a frozen value; no other module reads `os.environ`."""

import os

from flyweight.messages import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Limits:
    """How much one request may carry; each field is `FLYWEIGHT_` and its name in capitals."""

    max_body_bytes: int = 6 * 1024 * 1024  # the smallest of the providers' own limits: a synchronous Lambda payload
    max_instances: int = 10_000
    max_string_length: int = 10_000


@frozen
class Settings:
    """What a deployment may set."""

    model: str  # FLYWEIGHT_MODEL: the model file
    observability: str = ""  # FLYWEIGHT_OBSERVABILITY
    limits: Limits = Limits()


@frozen
class Permissions:
    """What a deployment lets engines do that run more than plain data."""

    threads: int = 1  # FLYWEIGHT_THREADS: a small function has a share of one core, and more threads only wait for each other
    allow_pickle: bool = False  # FLYWEIGHT_ALLOW_PICKLE=1: run the code in a model file's pickle
    trusted_types: "tuple[str, ...]" = ()  # FLYWEIGHT_TRUSTED_TYPES: what an estimator may be made of beyond what is known here


def permissions(environ: "Mapping[str, str]" = os.environ) -> Permissions:
    """What this deployment permits.

    :raises ValueError: a number of threads that is not a whole number above zero.
    """
    types = environ.get("FLYWEIGHT_TRUSTED_TYPES", "").replace(",", " ").split()
    allowed = environ.get("FLYWEIGHT_ALLOW_PICKLE", "").strip().lower() in ("1", "true", "yes")
    return Permissions(_count("threads", 1, environ), allowed, tuple(types))


def read(home: str, environ: "Mapping[str, str]" = os.environ) -> Settings:
    """Settings for a handler whose folder is `home`, where the model file lies unless `FLYWEIGHT_MODEL` names another.

    :raises ValueError: a limit that is not a whole number above zero.
    """
    return Settings(
        model=os.path.join(home, environ.get("FLYWEIGHT_MODEL") or "model.safetensors"),
        observability=environ.get("FLYWEIGHT_OBSERVABILITY", ""),
        limits=Limits(*[_count(name, default, environ) for name, default in Limits()._asdict().items()]),  # type: ignore[attr-defined]
    )


def _count(name: str, default: int, environ: "Mapping[str, str]") -> int:
    variable = f"FLYWEIGHT_{name.upper()}"
    text = environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{variable} should be a whole number above zero, got {text!r}")
    return int(text)


def variable(name: str) -> str:
    """A variable that is not flyweight's own: what a store's library reads as well, such as where an emulator listens."""
    return os.environ.get(name, "").strip()

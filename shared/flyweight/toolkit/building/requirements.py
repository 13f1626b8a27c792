"""What a built folder needs beside its own files: the packages of the model's engine, at the versions that made the model."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flyweight.errors import ModelRefused, preview

# A model file names packages, and installing one runs its code: only these are ever written into a folder.
KNOWN = frozenset(
    ("numpy", "onnxruntime", "ai-edge-litert", "scikit-learn", "skops", "joblib", "pandas", "scipy")
    + ("lightgbm", "xgboost", "xgboost-cpu", "catboost", "imbalanced-learn", "category-encoders")
)


def add(path: Path, document: dict[str, Any], *, usual: Path | None = None, address: str = "", signed: bool = False) -> list[str]:
    """Put what the file's engine, the store at its address and signatures need at the end of a handler's requirements.txt.

    Gives that, and what the handler's owner listed beyond `usual`, our own handler's file, which its runtime brings.

    :raises ModelRefused: the file names a package that is not known here, or something that is not a version.
    """
    found = pins(document)
    if address and not address.startswith("file:"):
        found.append(f"obstore=={version('obstore')}")
    if signed:
        found.append(f"cryptography=={version('cryptography')}")
    known = _lines(usual) if usual else []
    own = [line for line in _lines(path) if line not in known]
    if found:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        _write(path, text, ["# what the model needs, at the versions that were tried", *found])
    return [*own, *found]


def _lines(path: Path) -> list[str]:
    """The requirements in a file, without comments and options."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    words = [re.split(r"(?:^|\s)#", line)[0].strip() for line in lines]
    return [line for line in words if line and not line.startswith("-")]


def pins(document: dict[str, Any]) -> list[str]:
    """What a model's engine needs, at the versions that its file records.

    :raises ModelRefused: the file names a package that is not known here, or something that is not a version.
    """
    required = document.get("requires") or {}
    return [_pin(package, number) for package, number in required.items()] if isinstance(required, dict) else []


def settle(path: Path, resolved: list[str]) -> None:
    """Let a requirements.txt list all that was resolved; its comments and options stay."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("#", "--"))]
    _write(path, "\n".join(kept), resolved)


def _write(path: Path, text: str, lines: list[str]) -> None:
    path.write_text("\n".join([text.rstrip("\n"), *lines] if text else lines) + "\n", encoding="utf-8")


def _pin(package: Any, number: Any) -> str:
    """Write a requirement.

    :raises ModelRefused: the package or the version is not one that engines need.
    """
    if package not in KNOWN or not isinstance(number, str) or not re.fullmatch(r"[0-9][0-9A-Za-z.!+]{0,40}", number):
        raise ModelRefused(f"the file requires {preview(package)} {preview(number)}, which is not a package that engines need")
    return f"{package}=={number}"

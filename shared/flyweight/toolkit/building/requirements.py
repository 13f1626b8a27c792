"""The packages that a built folder needs: those of the model's engine, at the versions with which the model was packed."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flyweight.errors import ModelRefused, preview

# A model file names packages, and an installed package runs code: only these are ever added to a folder.
KNOWN = frozenset(
    ("numpy", "onnxruntime", "ai-edge-litert", "scikit-learn", "skops", "joblib", "pandas", "scipy")
    + ("lightgbm", "xgboost", "xgboost-cpu", "catboost", "imbalanced-learn", "category-encoders")
)


def add(
    path: Path,
    document: dict[str, Any],
    *,
    usual: Path | None = None,
    address: str = "",
    signed: bool = False,
    protocols: Iterable[str] = (),
) -> list[str]:
    """Append the packages of the model's engine, its store, signatures and protocols to a handler's requirements.txt.

    :param protocols: the packages that protocols need, by name; they are added at the versions that are installed here.
    :param usual: the requirements.txt of flyweight's own handler; the runtime provides its packages.
    :returns: the appended requirements, and those of the handler that are not in `usual`.
    :raises ModelRefused: the file names an unknown package, or an invalid version.
    """
    found = pins(document)
    if address:
        found.append(f"obstore=={version('obstore')}")
    if signed:
        found.append(f"cryptography=={version('cryptography')}")
    found += [f"{package}=={version(package)}" for package in protocols]
    known = _lines(usual) if usual else []
    own = [line for line in _lines(path) if line not in known]
    if found:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        _write(path, text, ["# the model's packages, at the versions that were verified", *found])
    return [*own, *found]


def _lines(path: Path) -> list[str]:
    """List the requirements in a file, without comments and options."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    words = [re.split(r"(?:^|\s)#", line)[0].strip() for line in lines]
    return [line for line in words if line and not line.startswith("-")]


def pins(document: dict[str, Any]) -> list[str]:
    """List the packages of a model's engine, at the versions that its file records.

    :raises ModelRefused: the file names an unknown package, or an invalid version.
    """
    required = document.get("requires") or {}
    return [_pin(package, number) for package, number in required.items()] if isinstance(required, dict) else []


def settle(path: Path, resolved: list[str]) -> None:
    """Replace the requirements in a requirements.txt with all resolved ones; keep its comments and options."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("#", "--"))]
    _write(path, "\n".join(kept), resolved)


def _write(path: Path, text: str, lines: list[str]) -> None:
    path.write_text("\n".join([text.rstrip("\n"), *lines] if text else lines) + "\n", encoding="utf-8", newline="\n")


def _pin(package: Any, number: Any) -> str:
    """Format a requirement.

    :raises ModelRefused: no engine needs this package, or the version is invalid.
    """
    if package not in KNOWN or not isinstance(number, str) or not re.fullmatch(r"[0-9][0-9A-Za-z.!+]{0,40}", number):
        raise ModelRefused(
            f"the file requires {preview(package)} {preview(number)}, but no engine needs this package and version"
        )
    return f"{package}=={number}"

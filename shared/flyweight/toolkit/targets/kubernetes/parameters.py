"""Read what `infra/kubernetes/parameters.json` says of each parameter, and check those of a deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import DeployFailed

FILE = "parameters.json"
NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# What a value must look like, besides "" where that is the default
PATTERNS = {
    # https://github.com/distribution/reference/blob/main/regexp.go
    "image": r"([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    "memory": r"[1-9][0-9]*(M|Mi|G|Gi)",
    "cpu": r"[1-9][0-9]*m?|0?\.[0-9]+|[1-9][0-9]*\.[0-9]+",
    "minReplicas": r"[0-9]{1,4}",
    "maxReplicas": r"[1-9][0-9]{0,3}",
    "model": r"[^\s\"'\\]+",
    "claim": NAME,
    "settings": r"[A-Z][A-Z0-9_]*=[^,\s]*(,[A-Z][A-Z0-9_]*=[^,\s]*)*",
    "host": rf"{NAME}(\.{NAME})*",
    "gateway": NAME,
    "monitoring": r"true|false",
    "canary": r"[1-9][0-9]?",
}
LABEL = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"  # https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/


def described(infra: Path) -> dict[str, dict[str, Any]]:
    """Read the description of each parameter.

    :param infra: the folder of templates, which has a folder `kubernetes`.
    """
    document: dict[str, dict[str, Any]] = json.loads((infra / "kubernetes" / FILE).read_text(encoding="utf-8"))
    return document


def with_defaults(infra: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter, with its default where it is not given."""
    return {**{name: str(one["default"]) for name, one in described(infra).items()}, **given}


def check(infra: Path, given: Mapping[str, str], tags: Mapping[str, str], refused: tuple[str, ...] = ()) -> None:
    """Check parameters and tags.

    :param refused: parameters that this platform does not have.
    :raises DeployFailed: one is unknown, or has a value with no meaning.
    """
    known = described(infra)
    for name, value in given.items():
        if name not in known or name in refused:
            near = get_close_matches(name, [one for one in known if one not in refused])
            hint = f" ({', '.join(near)}?)" if near else ""
            step = f"see infra/kubernetes/{FILE}" if name not in known else "leave it out, or choose another --platform"
            raise DeployFailed(f"there is no parameter {name} here{hint}", step)
        pattern = PATTERNS.get(name)
        if pattern and value != known[name]["default"] and not re.fullmatch(pattern, value, re.ASCII):
            raise DeployFailed(f"{name} can't be {value!r}", f"{name}: {known[name]['description']}")
    for name, value in tags.items():
        if not (name and re.fullmatch(LABEL, name) and re.fullmatch(LABEL, value)):
            raise DeployFailed(f"{name}={value} is no label of Kubernetes", "use letters, digits, -, _ and ., at most 63")


def without_tag(image: str) -> str:
    """Leave out the tag and the digest of an image; what follows the colon of a registry's port is no tag."""
    name = image.partition("@")[0]
    place, colon, tag = name.rpartition(":")
    return place if colon and "/" not in tag else name


def variables(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the environment variables that the parameters ask for, as a container lists them."""
    pairs = [pair.partition("=") for pair in given.get("settings", "").split(",") if pair]
    return [{"name": name, "value": value} for name, _, value in pairs]

"""The name of an image in a registry: REGISTRY/NAME:TAG, REGISTRY/NAME@sha256:..., or Docker's short names.

https://github.com/distribution/reference has the grammar: without a registry an image is Docker Hub's, without a tag `latest`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from flyweight.toolkit.images.layout import DIGEST, ImageRefused

HUB, HUB_HOST = "docker.io", "registry-1.docker.io"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """`registry`: its host, with a port if it has one; `name`: the repository; `label`: a tag or a digest."""

    registry: str
    name: str
    label: str

    def __str__(self) -> str:
        """Write it as engines do."""
        return self.at(self.label)

    @property
    def repository(self) -> str:
        """The registry and the name."""
        return f"{self.registry}/{self.name}"

    @property
    def url(self) -> str:
        """The root of the registry: plain HTTP on this machine alone."""
        host = HUB_HOST if self.registry == HUB else self.registry
        return f"{'http' if is_loopback(host) else 'https'}://{host}"

    def at(self, label: str) -> str:
        """Write the name of another tag or digest in the same repository."""
        return f"{self.repository}{'@' if DIGEST.fullmatch(label) else ':'}{label}"


def parse(text: str) -> Reference:
    """Parse the name of an image.

    :raises ImageRefused: it is no name of an image.
    """
    first, slash, rest = text.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    registry, rest = (first, rest) if named else (HUB, text)
    name, at, digest = rest.partition("@")
    name, colon, tag = name.partition(":")
    label = digest if at else tag if colon else "latest"
    if registry in (HUB, "index.docker.io"):
        registry, name = HUB, name if "/" in name else f"library/{name}"
    fits = (DIGEST if at else _TAG).fullmatch(label)
    if not (_HOST.fullmatch(registry) and _NAME.fullmatch(name) and fits):
        step = "give REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST; names are in lower case"
        raise ImageRefused(f"{text[:200]!r} is no name of an image", step)
    return Reference(registry, name, label)


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine itself."""
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost"

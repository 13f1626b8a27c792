"""Name the image of a built folder in a registry, and push it there."""

from __future__ import annotations

import json
from pathlib import Path

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.commands import Command, command
from flyweight.toolkit.targets.deployment import Deployment
from flyweight.toolkit.targets.naming import Rule
from flyweight.toolkit.targets.package import read_marker

LAYOUT = ".oci"  # what `flyweight build --as oci` writes beside the folder
# https://github.com/distribution/reference: a registry, a path, and a tag or a digest
NAME = Rule(
    "an image", r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})?",
    "write REGISTRY/NAME, whose tag is then made from the image's digest, or REGISTRY/NAME:TAG for an image that is there",
)  # fmt: skip


def pushed(deployment: Deployment, image: str, *login: str) -> tuple[list[Command], str]:
    """List the commands that push the folder's image, none for an image with a tag or a digest, which is there already.

    :param image: REGISTRY/NAME, or with a tag or digest.
    :param login: further words of `flyweight image push`, which say how to log in.
    :returns: the commands, and the image's reference.
    :raises DeployFailed: the image has no valid name, or there is no image beside the folder.
    """
    NAME.check(image)
    if ":" in image.rpartition("/")[2]:
        return [], image
    layout = deployment.folder.with_name(deployment.folder.name + LAYOUT)
    reference = f"{image}:{_digest(layout, deployment.folder)[:12]}"
    return [command("flyweight", "image", "push", layout, reference, *login)], reference


def _digest(layout: Path, folder: Path) -> str:
    """Read the digest of the image beside a folder.

    :raises DeployFailed: there is no such layout.
    """
    try:
        return str(json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"][0]["digest"]).partition(":")[2]
    except (OSError, ValueError, LookupError):
        built = f"flyweight build {read_marker(folder)['target']} --model MODEL --as oci --base base.oci"
        step = f"{built}, or name an image that is there, with its tag"
        raise DeployFailed(f"{layout} is no image", step) from None

"""Small images to build on, written by the project's own writer: an interpreter is a file of its name, and nothing runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.images import media_types, roots
from flyweight.toolkit.images.layout import Descriptor, Layout, LayoutWriter, blobs_of


def root(folder: Path, *files: str, links: Mapping[str, str] = {}) -> Path:
    """A root file system of these files, with links."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    for name, goal in links.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(goal)
    folder.mkdir(exist_ok=True)
    return folder


def slim(folder: Path, architecture: str = "amd64", python: str = "3.13", **environ: str) -> Path:
    """A base as `python:3.13-slim` is: the interpreter in /usr/local/bin, with links to it, and a /tmp."""
    links = {"usr/local/bin/python3": f"python{python}", "usr/local/bin/python": "python3", "bin": "usr/bin"}
    made = root(folder / "root", f"usr/local/bin/python{python}", "usr/bin/sh", links=links)
    (made / "tmp").mkdir()
    (made / "tmp").chmod(0o1777)
    roots.pack(made, folder / "layout", architecture, MOMENT, environ, f"python:{python}-slim")
    return folder / "layout"


def distroless(folder: Path, python: str = "3.13") -> Path:
    """A base as distroless ones are: /usr/bin/python3 and no shell, no /tmp."""
    made = root(folder / "root", f"usr/bin/python{python}", links={"usr/bin/python3": f"python{python}"})
    roots.pack(made, folder / "layout", "amd64", MOMENT, {}, "distroless")
    return folder / "layout"


def joined(out: Path, *layouts: Path) -> Path:
    """One layout with an index of the images of several, and an attestation as Docker's build writes one."""
    writer = LayoutWriter(out)
    listed: list[Descriptor] = []
    for path in layouts:
        layout = Layout(path)
        for descriptor in layout.images():
            for blob in [descriptor, *blobs_of(layout.document(descriptor))]:
                with layout.open(blob) as stream:
                    writer.copy(stream, blob)
            listed.append({name: value for name, value in descriptor.items() if name != "annotations"})
    attestation = writer.add_document(media_types.MANIFEST, {"schemaVersion": 2, "config": listed[0], "layers": []})
    unknown = {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    listed.append({**attestation, **unknown})
    index = writer.add_document(media_types.INDEX, {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": listed})
    writer.list({**index, "annotations": {"org.opencontainers.image.ref.name": "python:3.13-slim"}})
    writer.finish()
    return out


def blob(layout: Path, digest: str) -> Path:
    """The file of a blob."""
    return layout / "blobs" / "sha256" / digest.partition(":")[2]


def documents(layout: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the configuration of a layout's first image."""
    listed = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads(blob(layout, listed[0]["digest"]).read_bytes())
    return manifest, json.loads(blob(layout, manifest["config"]["digest"]).read_bytes())

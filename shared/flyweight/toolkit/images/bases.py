"""Read the images below ours: one for each platform of a layout, with its file system, its Python and its configuration."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flyweight.toolkit.images import media_types, trees
from flyweight.toolkit.images.layout import REF_NAME, Descriptor, ImageRefused, Layout, blobs_of, entries

ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}  # of an image, and as a build names them
USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ATTESTATION = "vnd.docker.reference.type"  # https://docs.docker.com/build/metadata/attestations/attestation-storage/
DEPTH = 3  # indexes in indexes


@dataclass(frozen=True)
class Base:
    """An image of one platform.

    `reference`: how its layout names it, "" without a name; `manifest`: its manifest; `config`: its configuration.
    """

    layout: Layout
    descriptor: Descriptor
    manifest: dict[str, Any]
    config: dict[str, Any]
    reference: str

    @property
    def platform(self) -> dict[str, str]:
        """Its platform, as an index has it."""
        names = {"os": "os", "architecture": "architecture", "variant": "variant"}
        return {name: str(self.config[key]) for name, key in names.items() if self.config.get(key)}

    @property
    def machine(self) -> str:
        """Its architecture, as a build names it."""
        name = self.platform.get("architecture", "")
        return ARCHITECTURES.get(name, name)

    @property
    def layers(self) -> list[Descriptor]:
        """The descriptors of its layers, in the standard's media types."""
        listed = entries(self.manifest, "layers")
        return [{key: layer[key] for key in ("digest", "size")} | {"mediaType": _kind(layer)} for layer in listed]

    @property
    def diff_ids(self) -> list[str]:
        """The digests of its layers' tars."""
        rootfs = self.config.get("rootfs")
        found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(found, list) or len(found) != len(self.layers):
            digest = self.descriptor["digest"]
            raise ImageRefused(f"the image {digest} has other layers in its configuration", "use another image")
        return [str(one) for one in found]

    @cached_property
    def tree(self) -> trees.Tree:
        """Its file system; reading it checks each layer."""
        made: trees.Tree = {}
        for layer, diff_id in zip(self.layers, self.diff_ids, strict=True):
            with trees.opened(self.layout, layer, diff_id) as members:
                trees.add(made, members)
        return made

    @property
    def run(self) -> dict[str, Any]:
        """What its configuration says of running it."""
        found = self.config.get("config")
        return found if isinstance(found, dict) else {}

    def python(self, version: str) -> str:
        """Find the path of a Python version, such as `3.13`, among the folders of the image's PATH.

        :raises ImageRefused: the image has another one, or none.
        """
        listed = self.run.get("Env")
        environ = dict(str(one).partition("=")[::2] for one in listed) if isinstance(listed, list) else {}
        folders = [folder for folder in environ.get("PATH", USUAL_PATH).split(":") if folder.startswith("/")]
        seen = set()
        for name in ("python3", f"python{version}", "python"):
            for folder in folders:
                place = trees.resolve(self.tree, path := posixpath.join(folder, name))
                if posixpath.basename(place) == f"python{version}":
                    return path
                seen |= {posixpath.basename(place)} - {""}
        has = f"has {', '.join(sorted(seen))}" if seen else "has no Python on its PATH"
        step = f"give a base with Python {version}, such as python:{version}-slim, or build with the base's --python"
        raise ImageRefused(f"the base for {self.machine} {has}; the folder is for Python {version}", step)

    @property
    def musl(self) -> bool:
        """Whether its C library is musl, for which other wheels are built."""
        return any(path.startswith(("lib/ld-musl-", "usr/lib/ld-musl-")) for path in self.tree)


def read(layout: Layout) -> list[Base]:
    """List the images of a layout for Linux, one for each platform.

    :raises ImageRefused: there are none, or two of one platform, or one is damaged.
    """
    found: dict[str, Base] = {}
    for base in _images(layout, layout.images(), "", DEPTH):
        platform = "/".join(base.platform.values())
        if platform in found:
            step = "give a layout of one image: flyweight image pull REFERENCE DIR.oci"
            raise ImageRefused(f"{layout.path} has several images for {platform}", step)
        if base.platform.get("os") == "linux":
            found[platform] = base
    if not found:
        raise ImageRefused(f"{layout.path} has no image for Linux", "flyweight image pull python:3.13-slim base.oci")
    return [found[platform] for platform in sorted(found)]


def _images(layout: Layout, listed: list[Descriptor], reference: str, depth: int) -> list[Base]:
    """Read images, and those of the indexes among them, without what is attached to an image."""
    found = []
    for descriptor in listed:
        noted = descriptor.get("annotations")
        annotations: dict[str, Any] = noted if isinstance(noted, dict) else {}
        if descriptor.get("artifactType") or ATTESTATION in annotations:
            continue
        name = str(annotations.get(REF_NAME) or reference)
        if descriptor["mediaType"] in media_types.INDEXES and depth:
            found += _images(layout, entries(layout.document(descriptor), "manifests"), name, depth - 1)
        elif descriptor["mediaType"] in media_types.MANIFESTS:
            manifest = layout.document(descriptor)
            config = next(blobs_of(manifest))
            if media_types.standard(config["mediaType"]) == media_types.CONFIG and not manifest.get("artifactType"):
                found.append(Base(layout, descriptor, manifest, layout.document(config), name))
    return found


def _kind(layer: Descriptor) -> str:
    return media_types.standard(str(layer["mediaType"]))

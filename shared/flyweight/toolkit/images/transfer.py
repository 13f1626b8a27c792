"""Copy images between a layout on this machine and a registry; every blob is checked against its digest on its way."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from flyweight.toolkit.images import media_types
from flyweight.toolkit.images.layout import (
    BLOCK,
    REF_NAME,
    Checked,
    Descriptor,
    ImageRefused,
    Layout,
    LayoutWriter,
    blobs_of,
    checked_descriptor,
    entries,
    parsed,
)
from flyweight.toolkit.images.registry import Registry, RegistryRefused

USUAL = frozenset(("linux/amd64", "linux/arm64"))  # platforms for which folders are built
Advance = Callable[[str, int, int], None]


def push(path: Path, registry: Registry, advance: Advance = lambda *_: None) -> str:
    """Push the image of a layout with all its platforms, and what is attached to it.

    :param registry: the client of the repository, whose reference has the tag.
    :returns: the digest of the image.
    :raises ImageRefused: the layout has no image, several, or a damaged one.
    :raises RegistryRefused: the registry refuses it.
    """
    layout = Layout(path)
    try:
        listed = [(descriptor, layout.document(descriptor)) for descriptor in layout.images()]
        image = image_of(path, layout)
        _push(layout, image, registry, registry.reference.label, advance)
        for one, document in listed:
            if "subject" in document and checked_descriptor(document["subject"])["digest"] == image["digest"]:
                _push(layout, one, registry, one["digest"], advance)
        return str(image["digest"])
    finally:
        layout.close()


def image_of(path: Path, layout: Layout) -> Descriptor:
    """Find the image of a layout among what is attached to it.

    :raises ImageRefused: the layout has none, or several.
    """
    images = [one for one in layout.images() if "subject" not in layout.document(one)]
    if len(images) != 1:
        raise ImageRefused(f"{path} has {len(images)} images", "give the layout of one, as `flyweight build --as oci` writes it")
    return images[0]


def push_blobs(layout: Layout, document: dict[str, Any], registry: Registry, advance: Advance) -> None:
    """Push the blobs that a manifest names, but for those that the repository has."""
    blobs = [*blobs_of(document)]
    whole, done = sum(blob["size"] for blob in blobs), 0
    for blob in blobs:
        advance("pushing", done, whole)
        if not registry.has_blob(blob["digest"]):
            registry.upload(blob, lambda blob=blob: layout.open(blob))  # type: ignore[misc]
        done += blob["size"]
        advance("pushing", done, whole)


def _push(layout: Layout, descriptor: Descriptor, registry: Registry, label: str, advance: Advance) -> None:
    """Push a manifest after the blobs it names, or an index after its manifests."""
    document = layout.document(descriptor)
    if descriptor["mediaType"] in media_types.INDEXES:
        for one in entries(document, "manifests"):
            _push(layout, one, registry, one["digest"], advance)
    else:
        push_blobs(layout, document, registry, advance)
    headers = registry.put_manifest(label, descriptor["mediaType"], layout.read(descriptor))
    if "subject" in document and "OCI-Subject" not in headers:
        attach(registry, document["subject"]["digest"], {**descriptor, "artifactType": str(document.get("artifactType", ""))})


def attach(registry: Registry, subject: str, descriptor: Descriptor) -> None:
    """List what is attached to an image under a tag of its digest, in a registry that does not list it itself.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
    """
    tag = subject.replace(":", "-")
    found = registry.manifest(tag)
    listed = entries(parsed(found[1], tag), "manifests") if found else []
    if all(one["digest"] != descriptor["digest"] for one in listed):
        index = {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": [*listed, descriptor]}
        registry.put_manifest(tag, media_types.INDEX, json.dumps(index, separators=(",", ":")).encode())


def pull(registry: Registry, out: Path, platforms: Collection[str] = (), advance: Advance = lambda *_: None) -> str:
    """Pull an image into a layout.

    :param out: a folder that does not exist.
    :param platforms: which to take of an index, such as `linux/amd64`; () for those for which folders are built.
    :returns: the digest of the image in the layout: that of the registry, or of a smaller index.
    :raises ImageRefused: there is no such image, or it is damaged; nothing is left then.
    :raises RegistryRefused: the registry refuses it.
    """
    if out.exists():
        raise ImageRefused(f"{out} exists already", "give another folder, or remove it yourself")
    reference = registry.reference
    found = registry.manifest(reference.label)
    if found is None:
        raise RegistryRefused(f"{reference} does not exist", "check its name and its tag")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        writer = LayoutWriter(draft / "layout")
        whole = _pull(registry, writer, *found, platforms, advance)
        writer.list({**whole, "annotations": {REF_NAME: str(reference)}})
        writer.finish()
        (draft / "layout").rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return str(whole["digest"])


def _pull(
    registry: Registry, writer: LayoutWriter, descriptor: Descriptor, data: bytes, platforms: Collection[str], advance: Advance
) -> Descriptor:
    """Pull a manifest with its blobs, or the wanted manifests of an index."""
    document = parsed(data, descriptor["digest"])
    if descriptor["mediaType"] in media_types.INDEXES:
        return _pull_index(registry, writer, descriptor, data, platforms, advance)
    if descriptor["mediaType"] not in media_types.MANIFESTS:
        raise ImageRefused(f"{registry.reference} is {descriptor['mediaType'][:100]!r}, and no image", "pull an image of today")
    blobs = [*blobs_of(document)]
    whole, done = sum(blob["size"] for blob in blobs), 0
    for blob in blobs:
        advance("pulling", done, whole)
        if not writer.has(blob["digest"]):
            with io.BufferedReader(Checked(registry.blob(blob), blob), BLOCK) as stream:
                writer.copy(stream, blob)
        done += blob["size"]
        advance("pulling", done, whole)
    written = writer.add(descriptor["mediaType"], lambda file: file.write(data))
    platform = descriptor.get("platform")
    return {**written, "platform": platform} if isinstance(platform, dict) else written


def _pull_index(
    registry: Registry, writer: LayoutWriter, descriptor: Descriptor, data: bytes, platforms: Collection[str], advance: Advance
) -> Descriptor:
    """Pull the wanted platforms of an index, and write an index of them; that of all is the registry's own."""
    document = parsed(data, descriptor["digest"])
    listed = entries(document, "manifests")
    chosen = [one for one in listed if "all" in platforms or _platform(one) & set(platforms or USUAL)]
    if not chosen:
        has = ", ".join(sorted({min(_platform(one), default="") for one in listed} - {""}))
        raise ImageRefused(f"{registry.reference} is not there for {', '.join(platforms or sorted(USUAL))}", f"it has {has}")
    made = []
    for one in chosen:
        found = registry.manifest(one["digest"])
        if found is None:
            raise RegistryRefused(f"{registry.reference.at(one['digest'])} does not exist", "check the image in its registry")
        made.append(_pull(registry, writer, {**one, **found[0], "mediaType": one["mediaType"]}, found[1], platforms, advance))
    if len(chosen) == len(listed):
        return writer.add(descriptor["mediaType"], lambda file: file.write(data))
    return writer.add_document(descriptor["mediaType"], {**document, "manifests": made})


def _platform(descriptor: Descriptor) -> set[str]:
    """Return the names of a descriptor's platform: with its variant and without."""
    fields = descriptor.get("platform")
    if not isinstance(fields, dict):
        return set()
    name = f"{fields.get('os')}/{fields.get('architecture')}"
    return {name, f"{name}/{fields['variant']}"} if fields.get("variant") else {name}

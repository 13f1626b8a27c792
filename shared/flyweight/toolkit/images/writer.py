"""Write an image of a built folder as an OCI layout: the layers of a base, and two of ours on top, for each platform of the base.

https://github.com/opencontainers/image-spec/blob/main/config.md has the configuration, and annotations.md beside it the labels.
`Healthcheck` is Docker's own: https://github.com/moby/docker-image-spec/blob/main/spec.md
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flyweight.toolkit.images import layers, media_types, trees
from flyweight.toolkit.images.bases import Base
from flyweight.toolkit.images.layers import Entry
from flyweight.toolkit.images.layout import REF_NAME, Descriptor, ImageRefused, LayoutWriter
from flyweight.toolkit.targets.package import Image

LABELS = "org.opencontainers.image."
TMP = 0o1777  # all may write to it, and only its owner removes a file


@dataclass(frozen=True)
class Contents:
    """What goes into an image.

    `folder`: a built folder, whose permissions are settled; `image`: what runs it; `python`: the Python version that it is for;
    `machine`: the architecture of its packages, "" if any runs it; `moment`: the time of all files, in seconds since 1970;
    `labels`: names below `org.opencontainers.image.`, and values; `tag`: how the layout names the image; `model`: the names of
    the folder's files that belong to the model, which get a layer of their own; `parts`: the list of parts in CycloneDX.
    """

    folder: Path
    image: Image
    python: str
    machine: str
    moment: int
    labels: Mapping[str, str]
    tag: str
    model: frozenset[str]
    parts: bytes


@dataclass(frozen=True)
class Platform:
    """The image of one platform: its name, such as `linux/amd64`, its digest, and the compressed bytes of base and of ours."""

    name: str
    digest: str
    base: int
    ours: int


@dataclass(frozen=True)
class Written:
    """A written image: its layout, its digest (of the index, if it has several platforms), and its platforms."""

    layout: Path
    digest: str
    platforms: list[Platform] = field(default_factory=list)


@dataclass(frozen=True)
class _Layer:
    descriptor: Descriptor
    diff_id: str
    what: str


def write(contents: Contents, below: list[Base], out: Path) -> Written:
    """Write the layout of an image into the folder `out`, which does not exist.

    :param below: the images of the base, one for each platform, whose layout is open.
    :raises ImageRefused: the base is damaged, or can't run the folder.
    """
    fitting = _fitting(below, contents)
    writer = LayoutWriter(out)
    made: list[tuple[Platform, Descriptor]] = []
    written: dict[tuple[Entry, ...], list[_Layer]] = {}  # our layers are often the same for each platform
    for one in fitting:
        added = (*_folders(one, contents.image.folder),)
        ours = written[added] if added in written else written.setdefault(added, _layers(writer, contents, added))
        made.append(_image(writer, contents, one, ours))
    whole = made[0][1] if len(made) == 1 else _index(writer, contents, made)
    writer.list({**whole, "annotations": {REF_NAME: contents.tag}})
    writer.list(_attached(writer, contents, whole))
    writer.finish(built=True)
    return Written(out, whole["digest"], [platform for platform, _ in made])


def _fitting(found: list[Base], contents: Contents) -> list[Base]:
    """Choose the platforms that can run the folder.

    :raises ImageRefused: none can, or one has another Python or C library.
    """
    chosen = [base for base in found if contents.machine in ("", base.machine)]
    if not chosen:
        has = ", ".join(base.machine for base in found)
        step = "build with the base's --arch, or give a base that has this architecture"
        raise ImageRefused(f"the folder is for {contents.machine}, and the base has {has}", step)
    for base in chosen:
        base.python(contents.python)
        if contents.machine and base.musl:
            step = "give a base with the GNU C library, such as python:3.13-slim, and none of Alpine's"
            raise ImageRefused("the folder's packages need the GNU C library, and the base has musl", step)
    return chosen


def _folders(base: Base, place: str) -> list[Entry]:
    """List the folders that the base does not have: those above the application's, its own, and /tmp, which all may write to.

    A container whose root is read-only mounts a file system at /tmp, and runc gives it the permissions of the folder below.
    """
    path, made = place.strip("/"), []
    while path:
        if not trees.resolve(base.tree, path):
            made.append(Entry(path, 0o755))
        path = posixpath.dirname(path)
    below = base.tree.get(trees.resolve(base.tree, "tmp"))
    return made if below is not None and below.mode == TMP else [*made, Entry("tmp", TMP)]


def _layers(writer: LayoutWriter, contents: Contents, added: tuple[Entry, ...]) -> list[_Layer]:
    """Write our layers: the code, which models share, and the model."""
    place = contents.image.folder.strip("/")
    parts: dict[bool, list[Entry]] = {False: [*added], True: []}
    for entry in layers.entries(contents.folder, place):
        parts[entry.name.removeprefix(f"{place}/") in contents.model].append(entry)
    code, model = (_layer(writer, parts[own], contents.moment, what) for own, what in ((False, "code"), (True, "model")))
    return [code, model] if parts[True] else [code]


def _layer(writer: LayoutWriter, listed: list[Entry], moment: int, what: str) -> _Layer:
    """Write one layer."""
    diff_ids: list[str] = []
    descriptor = writer.add(media_types.GZIP, lambda file: diff_ids.append(layers.write(listed, moment, file)))
    return _Layer(descriptor, diff_ids[0], f"flyweight: {what}")


def _image(writer: LayoutWriter, contents: Contents, base: Base, ours: list[_Layer]) -> tuple[Platform, Descriptor]:
    """Write the image of one platform: the base's layers, the configuration and the manifest."""
    for layer in base.layers:
        if not writer.has(layer["digest"]):
            with base.layout.open(layer) as blob:
                writer.copy(blob, layer)
    labels = {f"{LABELS}{name}": value for name, value in _labels(contents, base).items()}
    config = writer.add_document(media_types.CONFIG, _config(contents, base, ours, labels))
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.MANIFEST,
        "config": config,
        "layers": [*base.layers, *(layer.descriptor for layer in ours)],
        "annotations": labels,
    }
    descriptor = {**writer.add_document(media_types.MANIFEST, manifest), "platform": base.platform}
    sizes = [sum(layer["size"] for layer in some) for some in (base.layers, [layer.descriptor for layer in ours])]
    return Platform("/".join(base.platform.values()), descriptor["digest"], *sizes), descriptor


def _labels(contents: Contents, base: Base) -> dict[str, str]:
    """Return the labels: the model's, the time, and what the image is based on."""
    named = {"base.name": base.reference} if base.reference else {}
    created = datetime.fromtimestamp(contents.moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**contents.labels, "created": created, "base.digest": base.descriptor["digest"], **named}


def _config(contents: Contents, base: Base, ours: list[_Layer], labels: dict[str, str]) -> dict[str, Any]:
    """Return the configuration: the base's, with what runs the folder in place of what ran before."""
    image, created = contents.image, labels[f"{LABELS}created"]
    python = base.python(contents.python)
    before = {name: value for name, value in base.run.items() if name not in ("Cmd", "Shell", "OnBuild")}
    environ = dict(str(one).partition("=")[::2] for one in base.run.get("Env") or [])
    run = {
        **before,
        "User": image.user,
        "Env": [f"{name}={value}" for name, value in {**environ, **image.variables}.items()],
        "Entrypoint": [python if word in image.PYTHON else word for word in image.command],
        "WorkingDir": image.folder,
        "Labels": {**_others(base), **image.labels, **labels},
        "StopSignal": "SIGTERM",
    }
    if image.health:
        run |= {"ExposedPorts": {f"{image.port}/tcp": {}}, "Healthcheck": {"Test": ["CMD", python, *image.check]}}
    if image.arguments:
        run["Cmd"] = [*image.arguments]
    history = base.config.get("history")
    told = [{"created": created, "created_by": layer.what} for layer in ours]
    whole = {
        **base.config,
        "created": created,
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [*base.diff_ids, *(layer.diff_id for layer in ours)]},
    }
    return {**whole, "history": [*history, *told]} if isinstance(history, list) else whole


def _others(base: Base) -> dict[str, Any]:
    """Return the base's labels that do not tell of the base itself."""
    found = base.run.get("Labels")
    return {name: value for name, value in found.items() if not name.startswith(LABELS)} if isinstance(found, dict) else {}


def _index(writer: LayoutWriter, contents: Contents, made: list[tuple[Platform, Descriptor]]) -> Descriptor:
    """Write the index of an image with several platforms."""
    noted = {f"{LABELS}{name}": value for name, value in contents.labels.items()}
    index = {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": [one for _, one in made], "annotations": noted}
    return writer.add_document(media_types.INDEX, index)


def _attached(writer: LayoutWriter, contents: Contents, whole: Descriptor) -> Descriptor:
    """Attach the list of parts to the image, as an artifact whose subject it is.

    https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
    """
    parts = writer.add(media_types.CYCLONEDX, lambda file: file.write(contents.parts))
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.MANIFEST,
        "artifactType": media_types.CYCLONEDX,
        "config": writer.add_document(media_types.EMPTY, {}),
        "layers": [parts],
        "subject": {name: whole[name] for name in ("mediaType", "digest", "size")},
    }
    return {**writer.add_document(media_types.MANIFEST, manifest), "artifactType": media_types.CYCLONEDX}

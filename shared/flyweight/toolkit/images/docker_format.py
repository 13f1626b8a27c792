"""Push an image as Docker's older manifest, for platforms that take no OCI manifest; layers and configuration stay as they are.

https://distribution.github.io/distribution/spec/manifest-v2-2/. SageMaker refuses OCI manifests and indexes of several platforms:
https://github.com/aws/amazon-sagemaker-feedback/issues/180 and https://github.com/mlflow/mlflow/issues/13834.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flyweight.toolkit.images import media_types
from flyweight.toolkit.images.layout import Descriptor, ImageRefused, Layout, canonical, entries
from flyweight.toolkit.images.registry import Registry
from flyweight.toolkit.images.transfer import Advance, image_of, push_blobs

FROM_STANDARD = {standard: name for name, standard in media_types.OF_DOCKER.items()}


def push(path: Path, registry: Registry, advance: Advance = lambda *_: None) -> str:
    """Push the image of a layout, which is for one platform, without what is attached to it.

    :returns: the digest of the image in the registry, which is another than that in the layout.
    :raises ImageRefused: the layout has no image, several, or one for several platforms; or Docker has no name for a layer.
    :raises RegistryRefused: the registry refuses it.
    """
    layout = Layout(path)
    try:
        document = layout.document(_alone(path, layout))
        data = manifest(document)
        push_blobs(layout, document, registry, advance)
        registry.put_manifest(registry.reference.label, media_types.DOCKER_MANIFEST, data)
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    finally:
        layout.close()


def manifest(document: dict[str, Any]) -> bytes:
    """Write a manifest in Docker's words.

    :raises ImageRefused: a layer has a type that they do not have, such as zstd.
    """
    config, *layers = (_named(one) for one in [document["config"], *entries(document, "layers")])
    kind = media_types.DOCKER_MANIFEST
    return canonical({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers})


def _named(descriptor: Descriptor) -> Descriptor:
    """Give a blob its name in Docker's words."""
    kind = FROM_STANDARD.get(media_types.standard(descriptor["mediaType"]))
    if kind is None:
        message = f"Docker's manifest has no layers of the type {descriptor['mediaType']}"
        raise ImageRefused(message, "build on a base whose layers are compressed with gzip")
    return {"mediaType": kind, "digest": descriptor["digest"], "size": descriptor["size"]}


def _alone(path: Path, layout: Layout) -> Descriptor:
    """Find the manifest of an image that is for one platform.

    :raises ImageRefused: it is for several.
    """
    image = image_of(path, layout)
    if image["mediaType"] not in media_types.INDEXES:
        return image
    listed = entries(layout.document(image), "manifests")
    if len(listed) != 1:
        step = "build it for one: flyweight build TARGET --model MODEL --as oci --base BASE --arch x86_64"
        raise ImageRefused(f"{path} is for {len(listed)} platforms, and Docker's manifest is for one", step)
    return listed[0]

"""The media types of images, and what each of Docker's older names means.

https://github.com/opencontainers/image-spec/blob/main/media-types.md
"""

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
GZIP, ZSTD = f"{LAYER}+gzip", f"{LAYER}+zstd"
CYCLONEDX = "application/vnd.cyclonedx+json"

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES, MANIFESTS = (INDEX, DOCKER_INDEX), (MANIFEST, DOCKER_MANIFEST)
OF_DOCKER = {  # https://distribution.github.io/distribution/spec/manifest-v2-2/
    DOCKER_INDEX: INDEX,
    DOCKER_MANIFEST: MANIFEST,
    "application/vnd.docker.container.image.v1+json": CONFIG,
    "application/vnd.docker.image.rootfs.diff.tar": LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": GZIP,
}


def standard(name: str) -> str:
    """Return the standard's media type for a name of Docker's, and any other name as it is."""
    return OF_DOCKER.get(name, name)

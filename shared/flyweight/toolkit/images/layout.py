"""Read and write an OCI image layout: blobs by their digest, and `index.json`, which lists the images among them.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
A descriptor is a JSON object with the `mediaType`, `digest` and `size` of a blob. Whatever is read is compared with it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.images import media_types

Descriptor = dict[str, Any]

VERSION = {"imageLayoutVersion": "1.0.0"}
VERSION_FILE, INDEX_FILE = "oci-layout", "index.json"
BUILT = "flyweight.build"  # an annotation of the layouts that `flyweight build` writes, and may replace
REF_NAME = "org.opencontainers.image.ref.name"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LARGEST_DOCUMENT = 4 << 20  # bytes; the most that registries are asked to take of a manifest
BLOCK = 1 << 20
PULL_AGAIN = "fetch it again: flyweight image pull REFERENCE DIR.oci"


class ImageRefused(ToolkitError):
    """A layout, a base or an image that is damaged, or that can't be used for this."""


class Checked(io.RawIOBase):
    """A stream that ends with an error unless it had the size and the sha256 of a descriptor."""

    def __init__(self, stream: IO[bytes], descriptor: Descriptor) -> None:
        self._stream, self._left, self._hash = stream, int(descriptor["size"]), hashlib.sha256()
        self._digest: str = descriptor["digest"]

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read, and check what was read once it ends.

        :raises ImageRefused: size or sha256 are others.
        """
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        self._hash.update(data)
        ended = not data and len(buffer) > 0
        if self._left < 0 or (ended and (self._left or f"sha256:{self._hash.hexdigest()}" != self._digest)):
            raise ImageRefused(f"the blob {self._digest} has other bytes than its digest says", PULL_AGAIN)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close what it reads from."""
        self._stream.close()
        super().close()


def checked_descriptor(value: Any) -> Descriptor:
    """Check that a value is a descriptor, whose digest is safe to use in a path.

    :raises ImageRefused: it is not.
    """
    fields: dict[str, Any] = value if isinstance(value, dict) else {}
    digest, size, kind = (fields.get(name) for name in ("digest", "size", "mediaType"))
    if not (isinstance(digest, str) and DIGEST.fullmatch(digest)):
        raise ImageRefused(f"the image names a blob by {str(digest)[:80]!r}, which is no sha256 digest", PULL_AGAIN)
    if not (isinstance(size, int) and not isinstance(size, bool) and size >= 0 and isinstance(kind, str)):
        raise ImageRefused(f"the image does not say the size and the media type of the blob {digest}", PULL_AGAIN)
    return fields


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object.

    :raises ImageRefused: it is something else.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ImageRefused(f"{what} is no JSON object", PULL_AGAIN)
    return document


def entries(document: dict[str, Any], name: str) -> list[Descriptor]:
    """Return the descriptors that a document lists under a name.

    :raises ImageRefused: there is no such list.
    """
    listed = document.get(name)
    if not isinstance(listed, list):
        raise ImageRefused(f"the image has no list of {name}", PULL_AGAIN)
    return [checked_descriptor(one) for one in listed]


class Layout:
    """An image layout to read: a folder, or a tar file of one, as `docker save` and `skopeo` write it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tar: tarfile.TarFile | None = None
        if path.is_file():
            try:
                self._tar = tarfile.open(path)
            except (tarfile.TarError, EOFError, OSError) as error:
                raise self._no_layout(f"it is no tar file ({error})") from None
        with self._file(VERSION_FILE) as file:
            version = parsed(file.read(LARGEST_DOCUMENT), f"{path / VERSION_FILE}")
        if version != VERSION:
            raise self._no_layout(f"its version is {version.get('imageLayoutVersion')!r}, not '1.0.0'")

    def close(self) -> None:
        """Close the tar file, if it is one."""
        if self._tar is not None:
            self._tar.close()

    def images(self) -> list[Descriptor]:
        """List what index.json lists."""
        with self._file(INDEX_FILE) as file:
            return entries(parsed(file.read(LARGEST_DOCUMENT), f"{self.path / INDEX_FILE}"), "manifests")

    def open(self, descriptor: Descriptor) -> IO[bytes]:
        """Open a blob; reading it to its end checks it.

        :raises ImageRefused: it is not there, or, at its end, is another.
        """
        digest = checked_descriptor(descriptor)["digest"]
        return io.BufferedReader(Checked(self._file(f"blobs/sha256/{digest.partition(':')[2]}"), descriptor), BLOCK)

    def document(self, descriptor: Descriptor) -> dict[str, Any]:
        """Read a blob that is a JSON object: an index, a manifest or a configuration."""
        return parsed(self.read(descriptor), f"the blob {descriptor['digest']}")

    def read(self, descriptor: Descriptor) -> bytes:
        """Read a small blob."""
        if checked_descriptor(descriptor)["size"] > LARGEST_DOCUMENT:
            raise ImageRefused(f"the document {descriptor['digest']} has more than {LARGEST_DOCUMENT} bytes", PULL_AGAIN)
        with self.open(descriptor) as blob:
            return blob.read()

    def _file(self, name: str) -> IO[bytes]:
        """Open a file of the layout.

        :raises ImageRefused: it is not there.
        """
        try:
            found = (self.path / name).open("rb") if self._tar is None else self._tar.extractfile(self._member(name))
        except (KeyError, OSError):
            found = None
        if found is None:
            raise self._no_layout(f"it has no {name}")
        return found

    def _member(self, name: str) -> tarfile.TarInfo:
        """Find a file in the tar, whose names may begin with `./`."""
        assert self._tar is not None
        try:
            return self._tar.getmember(name)
        except KeyError:
            return self._tar.getmember(f"./{name}")

    def _no_layout(self, reason: str) -> ImageRefused:
        step = "give an OCI layout: flyweight image pull python:3.13-slim base.oci, or skopeo copy docker://IMAGE oci:DIR"
        if not self.path.exists():
            return ImageRefused(f"{self.path} does not exist", step)
        return ImageRefused(f"{self.path} is not a whole OCI image layout: {reason}", step)


class LayoutWriter:
    """An image layout that is written into an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        self._images: list[Descriptor] = []

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        return (self._blobs / digest.partition(":")[2]).is_file()

    def add(self, kind: str, write: Callable[[IO[bytes]], object]) -> Descriptor:
        """Add a blob that a function writes to a file."""
        draft = self._blobs / "draft"
        with draft.open("wb") as file:
            write(file)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = draft.stat().st_size
        draft.replace(self._blobs / digest)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}

    def add_document(self, kind: str, document: dict[str, Any]) -> Descriptor:
        """Add a JSON object: compact, with sorted names, so that equal objects have equal bytes."""
        return self.add(kind, lambda file: file.write(canonical(document)))

    def copy(self, source: IO[bytes], descriptor: Descriptor) -> None:
        """Copy a blob from a stream that checks itself."""
        if not self.has(descriptor["digest"]):
            self.add(descriptor["mediaType"], lambda file: shutil.copyfileobj(source, file, BLOCK))

    def list(self, descriptor: Descriptor) -> None:
        """List an image in index.json."""
        self._images.append(descriptor)

    def finish(self, built: bool = False) -> None:
        """Write index.json and the file that marks the folder as a layout; `built`: note that a build may replace it."""
        index: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": self._images}
        index |= {"annotations": {BUILT: "true"}} if built else {}
        (self.folder / INDEX_FILE).write_bytes(canonical(index))
        (self.folder / VERSION_FILE).write_bytes(canonical(VERSION))


def made_here(path: Path) -> bool:
    """Tell whether a folder is the layout of a build."""
    try:
        noted = json.loads((path / INDEX_FILE).read_bytes()).get("annotations", {})
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(noted, dict) and BUILT in noted


def canonical(document: dict[str, Any]) -> bytes:
    """Write a JSON object as bytes that depend on its contents alone."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def blobs_of(manifest: dict[str, Any]) -> Iterator[Descriptor]:
    """List the blobs that a manifest names: the configuration, and the layers."""
    yield checked_descriptor(manifest.get("config"))
    yield from entries(manifest, "layers")

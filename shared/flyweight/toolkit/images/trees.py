"""Read the layers of an image one after the other, as the file system that they make."""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from flyweight.toolkit.images import media_types
from flyweight.toolkit.images.layout import BLOCK, PULL_AGAIN, Descriptor, ImageRefused, Layout

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"  # https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
LINKS = 40  # symbolic links that a path may cross, as on Linux


@dataclass(frozen=True)
class Node:
    """A file, folder or link of an image: its permissions, and the path that it links to, "" for what is no link."""

    mode: int
    folder: bool
    link: str = ""


Tree = dict[str, Node]  # by path, without a slash at its beginning


class _Tar:
    """The bytes of a layer's tar: decompressed, and hashed as they are read."""

    def __init__(self, stream: IO[bytes], kind: str) -> None:
        self._stream, self.hash, self._rest = stream, hashlib.sha256(), b""
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS) if kind == media_types.GZIP else None

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end."""
        while len(self._rest) < size and (block := self._stream.read(BLOCK)):
            self._rest += block if self._inflate is None else self._decompressed(block)
        data, self._rest = self._rest[:size], self._rest[size:]
        self.hash.update(data)
        return data

    def _decompressed(self, block: bytes) -> bytes:
        """Decompress a block, in which one gzip stream may end and another begin."""
        parts = []
        while block and self._inflate is not None:
            try:
                parts.append(self._inflate.decompress(block))
            except zlib.error as error:
                raise ImageRefused(f"a layer can't be decompressed: {error}", PULL_AGAIN) from None
            block = self._inflate.unused_data
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return b"".join(parts)


@contextmanager
def opened(layout: Layout, layer: Descriptor, diff_id: Any) -> Iterator[tarfile.TarFile]:
    """Open a layer as a tar to be read in one pass; its end checks what was read.

    :param diff_id: the digest of the tar, as the image's configuration has it.
    :raises ImageRefused: the layer has a form that is not read here, or other bytes than its digests say.
    """
    kind = media_types.standard(layer["mediaType"])
    if kind not in (media_types.LAYER, media_types.GZIP):
        step = "give an image whose layers are tar or gzip (skopeo copy --dest-compress-format gzip)"
        raise ImageRefused(f"a layer of the base is {layer['mediaType']}, which is not read here", step)
    with layout.open(layer) as stream:
        tar = _Tar(stream, kind)
        try:
            with tarfile.open(fileobj=tar, mode="r|") as members:  # type: ignore[call-overload]  # only `read` is called
                yield members
        except (tarfile.TarError, EOFError, UnicodeError, OverflowError, ValueError) as error:
            raise ImageRefused(f"the layer {layer['digest']} is no tar that can be read: {error}", PULL_AGAIN) from None
        while tar.read(BLOCK):
            pass
        if f"sha256:{tar.hash.hexdigest()}" != diff_id:
            raise ImageRefused(f"the layer {layer['digest']} is not the one of the image's configuration", PULL_AGAIN)


def add(tree: Tree, members: tarfile.TarFile) -> None:
    """Apply the members of a layer to a file system.

    :raises ImageRefused: a member lies outside the image.
    """
    before = set(tree)  # a layer hides what is in the layers below it, never what is in itself
    for member in members:
        path = inside(member.name)
        folder, name = posixpath.split(path)
        if name == OPAQUE:
            _remove(tree, before, folder, keep=True)
        elif name.startswith(WHITEOUT):
            _remove(tree, before, posixpath.join(folder, name.removeprefix(WHITEOUT)))
        elif path:
            if not member.isdir() and path in tree:
                _remove(tree, before, path)
            link = member.linkname if member.issym() else f"/{inside(member.linkname)}" if member.islnk() else ""
            tree[path] = Node(member.mode & 0o7777, member.isdir(), link)


def inside(name: str) -> str:
    """Return a member's path below the root.

    :raises ImageRefused: it leaves the root.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ImageRefused(f"a layer of the image has a file at {name[:200]!r}, which is outside of it", "use another image")
    return "/".join(parts)


def resolve(tree: Tree, path: str) -> str:
    """Follow the symbolic links of a path; return the path of the file or folder behind them, "" if nothing is there."""
    waiting, found, crossed = [part for part in reversed(path.split("/")) if part], "", 0
    while waiting:
        part = waiting.pop()
        if part in (".", ".."):
            found = posixpath.dirname(found) if part == ".." else found
            continue
        step = posixpath.join(found, part)
        node = tree.get(step)
        if node is None or not node.link:
            found = step
            continue
        crossed += 1
        if crossed > LINKS:
            return ""
        found = "" if node.link.startswith("/") else found
        waiting += [part for part in reversed(node.link.split("/")) if part]
    return found if found in tree else ""


def _remove(tree: Tree, before: set[str], path: str, keep: bool = False) -> None:
    """Remove a file, or a folder with all that lower layers have in it; `keep` removes what is in the folder alone."""
    prefix = f"{path}/" if path else ""
    for one in [one for one in before if (one == path and not keep) or one.startswith(prefix)]:
        if one in tree:
            del tree[one]

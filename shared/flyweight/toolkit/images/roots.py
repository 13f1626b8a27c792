"""Write a root file system as an image to build on, and write an image's file system to a folder."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flyweight.toolkit.images import bases, layers, media_types, trees
from flyweight.toolkit.images.layout import REF_NAME, ImageRefused, Layout, LayoutWriter

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # what this machine's kernel calls one, and what images do


def pack(root: Path, out: Path, architecture: str, moment: int, environ: Mapping[str, str], name: str) -> str:
    """Write the layout of an image of one layer, which has all files of a folder, owned by root, without setuid.

    :param out: a folder that does not exist.
    :param architecture: as images name it, such as `amd64`.
    :param moment: the time of every file, in seconds since 1970.
    :param environ: variables of the image; without PATH the usual one is among them.
    :param name: what the layout calls it.
    :returns: the digest of its manifest.
    """
    writer = LayoutWriter(out)
    diff_ids: list[str] = []
    layer = writer.add(media_types.GZIP, lambda file: diff_ids.append(layers.write(layers.entries(root), moment, file)))
    created = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {"Env": [f"{key}={value}" for key, value in {"PATH": bases.USUAL_PATH, **environ}.items()]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": "flyweight: a root file system"}],
    }
    described = writer.add_document(media_types.CONFIG, config)
    manifest = {"schemaVersion": 2, "mediaType": media_types.MANIFEST, "config": described, "layers": [layer]}
    whole = writer.add_document(media_types.MANIFEST, manifest)
    writer.list({**whole, "annotations": {REF_NAME: name}, "platform": {"os": "linux", "architecture": architecture}})
    writer.finish()
    return str(whole["digest"])


def unpack(layout: Path, out: Path, architecture: str = "") -> bases.Base:
    """Write the file system of an image into a folder that does not exist; owners stay those of who calls this.

    :param architecture: as images name it; "" if the layout has one image only.
    :returns: the image, whose configuration says how it is run.
    :raises ImageRefused: the layout has no such image, or it is damaged, or a file would be outside of the folder.
    """
    opened = Layout(layout)
    try:
        found = [one for one in bases.read(opened) if architecture in ("", one.platform.get("architecture"))]
        if len(found) != 1:
            step = "name one of its architectures with --arch"
            raise ImageRefused(f"{layout} has {len(found)} images for {architecture or 'any processor'}", step)
        out.mkdir()
        for layer, diff_id in zip(found[0].layers, found[0].diff_ids, strict=True):
            with trees.opened(opened, layer, diff_id) as members:
                _extract(members, out)
        return found[0]
    finally:
        opened.close()


def _extract(members: tarfile.TarFile, out: Path) -> None:
    """Write the members of a layer over what the layers below it wrote.

    :raises ImageRefused: a member would be outside of the folder.
    """
    own: set[str] = set()
    for member in members:
        path = trees.inside(member.name)
        folder, name = posixpath.split(path)
        if not (out / folder).resolve().is_relative_to(out.resolve()):
            raise ImageRefused(f"a link of the image leads {path[:200]} out of it", "use another image")
        if name == trees.OPAQUE:
            for one in (out / folder).glob("*"):
                if posixpath.join(folder, one.name) not in own:
                    _remove(one)
        elif name.startswith(trees.WHITEOUT):
            _remove(out / folder / name.removeprefix(trees.WHITEOUT))
        elif path and not member.isdev():
            own |= {path, *map(str, Path(path).parents)}
            _write(members, member, out, path)


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, out: Path, path: str) -> None:
    """Write one member.

    :raises ImageRefused: a link in the image leads it out of the folder.
    """
    place = out / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink() or (place.exists() and not (place.is_dir() and member.isdir())):
        _remove(place)
    if member.isdir():
        place.mkdir(exist_ok=True)
    elif member.issym():
        place.symlink_to(member.linkname)
        return
    elif member.islnk():
        source = out / trees.inside(member.linkname)
        if not source.parent.resolve().is_relative_to(out.resolve()) or source.is_symlink():
            raise ImageRefused(f"a link of the image leads {path[:200]} out of it", "use another image")
        os.link(source, place)
        return
    else:
        contents = members.extractfile(member)
        assert contents is not None
        with place.open("wb") as file:
            shutil.copyfileobj(contents, file)
    place.chmod(member.mode & 0o1777 | 0o200)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder; what is not there is no fault."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

"""Layouts that are damaged, or that mean harm, are refused in words, and nothing is written outside of the folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.images import ImageRefused, media_types, roots
from flyweight.toolkit.images import bases as read_bases
from flyweight.toolkit.images.layout import Layout, LayoutWriter
from tests.toolkit.images import bases
from tests.toolkit.images.bases import blob, documents

Mutation = Callable[[Path], object]


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def of_index(change: Callable[[dict[str, Any]], object]) -> Mutation:
    return lambda layout: rewritten(layout / "index.json", lambda index: change(index["manifests"][0]))


def layer_of(layout: Path) -> Path:
    return blob(layout, documents(layout)[0]["layers"][0]["digest"])


HARM: dict[str, tuple[Mutation, str]] = {
    "no layout": (lambda layout: (layout / "oci-layout").unlink(), "has no oci-layout"),
    "another version": (lambda layout: (layout / "oci-layout").write_text('{"imageLayoutVersion":"2"}'), "its version is '2'"),
    "no index": (lambda layout: (layout / "index.json").unlink(), "has no index.json"),
    "an index of no JSON": (lambda layout: (layout / "index.json").write_text("[" * 100_000), "is no JSON object"),
    "an index without a list": (lambda layout: (layout / "index.json").write_text("{}"), "no list of manifests"),
    "a path in a digest": (of_index(lambda one: one.update(digest="sha256:../../index.json")), "which is no sha256 digest"),
    "another hash": (of_index(lambda one: one.update(digest="sha512:" + "0" * 128)), "which is no sha256 digest"),
    "a digest of nothing": (of_index(lambda one: one.update(digest="sha256:" + "0" * 64)), "has no blobs/sha256/0000"),
    "a size that is none": (of_index(lambda one: one.update(size=-1)), "does not say the size"),
    "another size": (of_index(lambda one: one.update(size=one["size"] + 1)), "other bytes than its digest"),
    "a huge manifest": (of_index(lambda one: one.update(size=1 << 40)), "has more than"),
    "a changed layer": (lambda layout: layer_of(layout).write_bytes(layer_of(layout).read_bytes()[:-1] + b"x"), "other bytes"),
    "a cut layer": (lambda layout: layer_of(layout).write_bytes(b""), "other bytes"),
    "a layer that is gone": (lambda layout: layer_of(layout).unlink(), "has no blobs/sha256"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_layout_is_refused_in_words(harm: str, tmp_path: Path) -> None:
    layout, (mutate, said) = bases.slim(tmp_path), HARM[harm]
    assert read_bases.read(Layout(layout))[0].python("3.13")
    mutate(layout)
    with pytest.raises(ImageRefused, match=said) as refused:
        read_bases.read(Layout(layout))[0].python("3.13")
    assert refused.value.next_step


def crafted(folder: Path, *members: tuple[tarfile.TarInfo, bytes], diff_id: str = "", kind: str = media_types.GZIP) -> Path:
    """A layout whose one layer has these members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for info, data in members:
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    raw = file.getvalue()
    writer = LayoutWriter(folder)
    layer = writer.add(kind, lambda out: out.write(gzip.compress(raw)))
    digest = diff_id or f"sha256:{hashlib.sha256(raw).hexdigest()}"
    rootfs = {"type": "layers", "diff_ids": [digest]}
    config = writer.add_document(media_types.CONFIG, {"architecture": "amd64", "os": "linux", "rootfs": rootfs})
    manifest = {"schemaVersion": 2, "mediaType": media_types.MANIFEST, "config": config, "layers": [layer]}
    writer.list(writer.add_document(media_types.MANIFEST, manifest))
    writer.finish()
    return folder


def file_at(name: str, data: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), data


def link_at(name: str, goal: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, goal
    return info, b""


OUTSIDE = {
    "a name with ..": [file_at("../escaped")],
    "a link, and a file through it": [link_at("way", ".."), file_at("way/escaped")],
    "an absolute link, and a file through it": [link_at("way", "{outside}"), file_at("way/escaped")],
    "a whiteout through a link": [link_at("way", "{outside}"), file_at("way/.wh.kept")],
    "an opaque folder through a link": [link_at("way", "{outside}"), file_at("way/.wh..wh..opq")],
    "a hard link to the outside": [link_at("way", "{outside}"), link_at("mine", "way/kept", tarfile.LNKTYPE)],
    "a hard link with ..": [link_at("mine", "../outside/kept", tarfile.LNKTYPE)],
}


@pytest.mark.parametrize("way", OUTSIDE)
def test_nothing_is_written_or_removed_outside_of_the_folder(way: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    for info, _ in OUTSIDE[way]:
        info.linkname = info.linkname.replace("{outside}", str(outside))
    layout = crafted(tmp_path / "layout", *OUTSIDE[way])
    with pytest.raises(ImageRefused, match=r"outside of it|leads .* out of it"):
        roots.unpack(layout, tmp_path / "root")
    assert [path.name for path in outside.iterdir()] == ["kept"] and (outside / "kept").read_text() == "kept"
    assert not (tmp_path / "escaped").exists()


def test_a_layer_that_is_not_the_one_of_the_configuration_is_refused(tmp_path: Path) -> None:
    layout = crafted(tmp_path / "layout", file_at("a"), diff_id="sha256:" + "0" * 64)
    with pytest.raises(ImageRefused, match="is not the one of the image's configuration"):
        roots.unpack(layout, tmp_path / "root")


def test_a_layer_in_a_form_that_is_not_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    layout = crafted(tmp_path / "layout", file_at("a"), kind=media_types.ZSTD)
    with pytest.raises(ImageRefused, match=r"tar\+zstd, which is not read here") as refused:
        roots.unpack(layout, tmp_path / "root")
    assert "gzip" in refused.value.next_step


def test_an_image_is_unpacked_as_it_was_packed(tmp_path: Path) -> None:
    made = bases.root(tmp_path / "root", "usr/bin/tool", "etc/name", links={"bin": "usr/bin", "etc/link": "/etc/name"})
    (made / "usr/bin/tool").chmod(0o755)
    (made / "tmp").mkdir()
    (made / "tmp").chmod(0o1777)
    roots.pack(made, tmp_path / "layout", "amd64", 0, {"A": "b"}, "mine")
    base = roots.unpack(tmp_path / "layout", tmp_path / "again")
    assert "A=b" in base.run["Env"] and (tmp_path / "again" / "bin" / "tool").read_text() == "usr/bin/tool\n"
    assert (tmp_path / "again" / "etc" / "link").readlink() == Path("/etc/name")
    assert (tmp_path / "again" / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "again" / "usr" / "bin" / "tool").stat().st_mode & 0o777 == 0o755

"""An image of a built folder: the layers of its base and two of ours, the same bytes each time, run by a user with no name."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.building import BuildFailed, Built, build, bytecode
from flyweight.toolkit.building.archive import MOMENT
from flyweight.toolkit.building.bytecode import NoSuchPython, interpreter
from flyweight.toolkit.cli import main
from flyweight.toolkit.images import ImageRefused, layers, trees
from flyweight.toolkit.images.layout import Layout
from tests import fitted
from tests.conftest import PYTHON, ROOT
from tests.toolkit.images import bases
from tests.toolkit.images.bases import blob, documents

CONTAINERS = [target.name for target in targets.all_targets() if target.has("package") and target.package.image is not None]
MEGABYTE = 1_000_000


def image(penguins: Path, out: Path, base: Path, target: str = "docker", **options: Any) -> Built:
    usual = {"python": "3.13", "form": "oci", "base": str(base), "with_bytecode": False}  # which takes its time
    return build(target, penguins, out, **{**usual, **options})


@pytest.fixture(scope="module")
def made(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An image on a base that has variables of its own."""
    place = tmp_path_factory.mktemp("image")
    return image(penguins, place / "out", bases.slim(place / "base", LANG="C.UTF-8", PORT="1"))


def layout_of(made: Built) -> Path:
    assert made.image is not None
    return made.image.layout


def members(layout: Path, descriptor: dict[str, Any]) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(layout, descriptor["digest"]).read_bytes()))) as opened:
        return opened.getmembers()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("target", CONTAINERS)
def test_two_builds_have_the_same_bytes_and_are_at_most_a_megabyte_above_their_base(
    target: str, penguins: Path, tmp_path: Path
) -> None:
    """Whatever the umask and the place; with what the target says of its image."""
    base = bases.slim(tmp_path / "base")
    first = image(penguins, tmp_path / "a", base, target, with_bytecode=True)
    bytecode.COMPILED.clear()  # compile again
    before = os.umask(0o077)
    try:
        second = image(penguins, tmp_path / "deeper" / "b", base, target, with_bytecode=True)
    finally:
        os.umask(before)
    assert first.image and second.image and first.image.digest == second.image.digest
    assert contents(tmp_path / "a.oci") == contents(tmp_path / "deeper" / "b.oci")
    assert tmp_path / "a.oci" in first.artifacts and first.image.layout == tmp_path / "a.oci"
    manifest, config = documents(tmp_path / "a.oci")
    (platform,) = first.image.platforms
    assert platform.ours == sum(layer["size"] for layer in manifest["layers"][1:]) <= MEGABYTE
    assert platform.base == manifest["layers"][0]["size"] and len(manifest["layers"]) == 3
    wanted, run = targets.find(target).package.image, config["config"]
    assert wanted is not None and wanted.labels.items() <= run["Labels"].items()
    assert run.get("Cmd", []) == [*wanted.arguments] and run["Entrypoint"][1:] == [*wanted.command[1:]]
    assert {f"{key}={value}" for key, value in wanted.variables.items()} <= {*run["Env"]}


def test_a_layer_has_the_same_digest_on_every_python(penguins: Path, tmp_path: Path) -> None:
    """As far as these are on this machine, and compress with one zlib; the tar's own digest does not depend on that."""
    folder = build("docker", penguins, tmp_path / "out", python=PYTHON).folder
    program = (
        "import io, sys, zlib; from pathlib import Path; from flyweight.toolkit.images import layers; file = io.BytesIO();"
        f"print(layers.write(layers.entries(Path(sys.argv[1]), 'app'), {MOMENT}, file));"
        "import hashlib; print(zlib.ZLIB_RUNTIME_VERSION, hashlib.sha256(file.getvalue()).hexdigest())"
    )
    told = set()
    for version in ("3.11", "3.12", "3.13", "3.14"):
        try:
            python = interpreter(version)
        except NoSuchPython:
            continue
        environ = {"PYTHONPATH": str(ROOT / "shared"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([python, "-c", program, str(folder)], env=environ, capture_output=True, text=True, check=True)
        told.add(tuple(done.stdout.split("\n")[:2]))
    assert len({diff_id for diff_id, _ in told}) == 1
    assert len({compressed for _, compressed in told}) == len({compressed.split()[0] for _, compressed in told})


def test_a_layer_is_gzip_that_names_no_system_and_has_a_tar_of_this_digest(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "pi\u00f1a").write_bytes(os.urandom(3_000_000))
    file = io.BytesIO()
    diff_id = layers.write(layers.entries(tmp_path / "folder", "app"), MOMENT, file)
    data = file.getvalue()
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}" == diff_id


def test_files_belong_to_root_and_are_sorted_with_one_time_and_nothing_to_write(made: Built) -> None:
    manifest, _ = documents(layout_of(made))
    for layer in manifest["layers"][1:]:
        found = members(layout_of(made), layer)
        assert [one.name for one in found] == sorted(one.name for one in found) and found
        assert {(one.uid, one.gid, one.mtime) for one in found} == {(0, 0, MOMENT)}
        assert {one.mode for one in found} <= {0o644, 0o755}


def test_the_configuration_runs_the_folder_as_a_user_with_no_name(made: Built) -> None:
    manifest, config = documents(layout_of(made))
    run = config["config"]
    assert run["User"] == "65532:65532" and run["WorkingDir"] == "/app" and run["ExposedPorts"] == {"8080/tcp": {}}
    assert run["Entrypoint"] == ["/usr/local/bin/python3", "server_main.py"] and "Cmd" not in run
    assert {"LANG=C.UTF-8", "PORT=8080"} <= {*run["Env"]} and "PORT=1" not in run["Env"]
    assert run["Healthcheck"]["Test"][:3] == ["CMD", "/usr/local/bin/python3", "-c"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in run["Labels"].items()}
    assert (labels["title"], labels["version"], labels["revision"]) == ("penguins", "1.0.0", made.sha256)
    assert labels["created"] == config["created"] == "1980-01-02T00:00:00Z" and labels["base.name"] == "python:3.13-slim"
    index = json.loads((made.folder.parent / "base" / "layout" / "index.json").read_bytes())
    assert labels["base.digest"] == index["manifests"][0]["digest"]
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"]) == len(config["history"])
    assert [one["created_by"] for one in config["history"][-2:]] == ["flyweight: code", "flyweight: model"]


def test_the_model_is_a_layer_of_its_own_so_that_another_version_sends_nothing_else(penguins: Path, tmp_path: Path) -> None:
    estimator, sample = fitted.penguins()
    flyweight.pack(estimator, tmp_path / "second.safetensors", sample=sample, name="penguins", version="2.0.0")
    base = bases.slim(tmp_path / "base")
    image(penguins, tmp_path / "a", base)
    image(tmp_path / "second.safetensors", tmp_path / "b", base)
    (one, _), (two, _) = documents(tmp_path / "a.oci"), documents(tmp_path / "b.oci")
    assert one["layers"][:2] == two["layers"][:2] and one["layers"][2] != two["layers"][2]
    assert {path.name for path in members(tmp_path / "a.oci", one["layers"][2])} == {
        "app/flyweight.json",
        "app/model.safetensors",
    }


def test_a_model_in_a_store_leaves_its_address_in_the_image(penguins: Path, tmp_path: Path) -> None:
    store = tmp_path / "store" / "penguins.safetensors"
    store.parent.mkdir()
    shutil.copy(penguins, store)
    base = bases.slim(tmp_path / "base")
    build("docker", store.as_uri(), tmp_path / "b", python="3.13", form="oci", base=str(base), with_bytecode=False)
    manifest, _ = documents(tmp_path / "b.oci")
    assert "app/model.safetensors" not in {one.name for layer in manifest["layers"] for one in members(tmp_path / "b.oci", layer)}


def test_a_base_without_a_shell_gets_its_own_interpreter_and_a_tmp_that_all_may_write_to(penguins: Path, tmp_path: Path) -> None:
    image(penguins, tmp_path / "out", bases.distroless(tmp_path / "base"))
    manifest, config = documents(tmp_path / "out.oci")
    assert config["config"]["Entrypoint"][0] == "/usr/bin/python3"
    below, *ours = manifest["layers"]
    assert not any(one.name == "tmp" for one in members(tmp_path / "out.oci", below))
    (tmp,) = [one for layer in ours for one in members(tmp_path / "out.oci", layer) if one.name == "tmp"]
    assert tmp.isdir() and tmp.mode == 0o1777


def test_a_tmp_that_the_base_has_stays_the_bases(made: Built) -> None:
    manifest, _ = documents(layout_of(made))
    assert not [one for layer in manifest["layers"][1:] for one in members(layout_of(made), layer) if one.name == "tmp"]


def test_a_base_of_several_processors_makes_an_index_of_images_with_the_same_layers(penguins: Path, tmp_path: Path) -> None:
    base = bases.joined(tmp_path / "base", *(bases.slim(tmp_path / arch, arch) for arch in ("amd64", "arm64")))
    made = image(penguins, tmp_path / "out", base)
    assert made.image is not None and [one.name for one in made.image.platforms] == ["linux/amd64", "linux/arm64"]
    index, _ = json.loads((tmp_path / "out.oci" / "index.json").read_bytes())["manifests"]
    assert index["digest"] == made.image.digest and index["annotations"] == {"org.opencontainers.image.ref.name": "1.0.0"}
    listed = json.loads(blob(tmp_path / "out.oci", index["digest"]).read_bytes())["manifests"]
    assert [one["platform"] for one in listed] == [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
    ours = [json.loads(blob(tmp_path / "out.oci", one["digest"]).read_bytes())["layers"][1:] for one in listed]
    assert ours[0] == ours[1]
    one = image(penguins, tmp_path / "one", base, arch="arm64").image
    assert one is not None and [platform.name for platform in one.platforms] == ["linux/arm64"]


def test_a_base_may_be_a_tar_of_its_layout(penguins: Path, tmp_path: Path) -> None:
    base = bases.slim(tmp_path / "base")
    with tarfile.open(tmp_path / "base.tar", "w") as packed:
        packed.add(base, arcname=".")
    folder, packed_too = (
        image(penguins, tmp_path / name, path).image for name, path in (("a", base), ("b", tmp_path / "base.tar"))
    )
    assert folder and packed_too and folder.digest == packed_too.digest


def test_the_list_of_parts_is_attached_to_the_image(made: Built) -> None:
    layout = layout_of(made)
    whole, attached = json.loads((layout / "index.json").read_bytes())["manifests"]
    artifact = json.loads(blob(layout, attached["digest"]).read_bytes())
    assert made.image and artifact["subject"]["digest"] == whole["digest"] == made.image.digest
    (parts,) = artifact["layers"]
    text = blob(layout, parts["digest"]).read_text()
    assert text == made.folder.with_name("out.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize(
    ("python", "said"), [("3.12", "has python3.13; the folder is for Python 3.12"), ("3.11", "for Python 3.11")]
)
def test_a_base_with_another_python_is_refused_before_anything_is_built(
    python: str, said: str, penguins: Path, tmp_path: Path
) -> None:
    with pytest.raises(ImageRefused, match=said) as refused:
        image(penguins, tmp_path / "out", bases.slim(tmp_path / "base"), python=python)
    assert f"python:{python}-slim" in refused.value.next_step and not (tmp_path / "out").exists()


def test_a_base_without_python_is_refused(penguins: Path, tmp_path: Path) -> None:
    bases.roots.pack(bases.root(tmp_path / "root", "bin/sh"), tmp_path / "base", "amd64", MOMENT, {}, "bare")
    with pytest.raises(ImageRefused, match="has no Python on its PATH"):
        image(penguins, tmp_path / "out", tmp_path / "base")


def test_a_base_for_another_processor_than_that_of_the_build_is_refused(penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageRefused, match="the folder is for arm64, and the base has x86_64") as refused:
        image(penguins, tmp_path / "out", bases.slim(tmp_path / "base"), arch="arm64")
    assert "--arch" in refused.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_an_image_needs_a_base_and_nothing_else_has_one(penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"needs a base with Python 3\.13: our own layers hold none") as refused:
        build("docker", penguins, tmp_path / "out", python="3.13", form="oci")
    assert "flyweight image pull python:3.13-slim base.oci" in refused.value.next_step
    with pytest.raises(BuildFailed, match="a zip has no base"):
        build("docker", penguins, tmp_path / "out", python="3.13", form="zip", base="base.oci")
    with pytest.raises(BuildFailed, match="does not support form 'oci'"):
        build("aws", penguins, tmp_path / "out", python="3.13", form="oci", base="base.oci")


def test_a_dockerfile_begins_from_the_base_that_was_named(penguins: Path, tmp_path: Path) -> None:
    base = "gcr.io/distroless/python3-debian13:nonroot"
    folder = build("docker", penguins, tmp_path / "out", python="3.13", form="image", base=base).folder
    lines = (folder / "Dockerfile").read_text().splitlines()
    assert lines[0] == f"FROM {base}" and not [line for line in lines if line.startswith(("RUN", "FROM python"))]
    assert 'ENTRYPOINT ["python3", "server_main.py"]' in lines


def test_a_layout_of_an_earlier_build_is_replaced_and_a_users_own_is_not(penguins: Path, tmp_path: Path) -> None:
    base = bases.slim(tmp_path / "base")
    image(penguins, tmp_path / "out", base)
    before = contents(tmp_path / "out.oci")
    image(penguins, tmp_path / "out", base)
    assert contents(tmp_path / "out.oci") == before
    build("docker", penguins, tmp_path / "out", python="3.13")
    assert not (tmp_path / "out.oci").exists()
    shutil.copytree(base, tmp_path / "out.oci")
    with pytest.raises(BuildFailed, match="exists already, and flyweight did not build it"):
        image(penguins, tmp_path / "out", base)
    assert contents(tmp_path / "out.oci") == contents(base)


def test_the_verb_tells_the_size_of_the_base_and_of_ours(penguins: Path, tmp_path: Path) -> None:
    words = ["build", "docker", "--model", str(penguins), "-o", str(tmp_path / "out"), "--as", "oci"]
    words += ["--no-bytecode", "--base", str(bases.slim(tmp_path / "base"))]
    told = CliRunner().invoke(main, [*words, "--json"])
    document = json.loads(told.stdout)["image"]
    assert document["layout"] == str(tmp_path / "out.oci") and document["platforms"][0]["name"] == "linux/amd64"
    shown = CliRunner().invoke(main, words).output
    assert document["digest"] in shown and "linux/amd64" in shown and "ours" in shown


def test_an_upper_layer_replaces_and_hides_what_is_below() -> None:
    tree: trees.Tree = {}

    def layer(*names: str, links: Mapping[str, str] = {}) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as made:
            for name in names:
                made.addfile(tarfile.TarInfo(name.rstrip("/")) if not name.endswith("/") else _folder(name))
            for name, goal in links.items():
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, goal
                made.addfile(info)
        file.seek(0)
        with tarfile.open(fileobj=file) as opened:
            trees.add(tree, opened)

    layer("a/", "a/one", "a/two", "b/", "b/three", links={"c": "a", "loop": "loop"})
    layer("a/.wh.one", "b/.wh..wh..opq", "b/four", "c")
    assert {*tree} == {"a", "a/two", "b", "b/four", "c", "loop"}
    assert tree["c"].link == "" and trees.resolve(tree, "/a/../b/./four") == "b/four"
    assert trees.resolve(tree, "/loop") == "" and trees.resolve(tree, "/nothing") == ""


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name.rstrip("/"))
    info.type = tarfile.DIRTYPE
    return info


def test_a_layout_lists_images_for_linux_alone(tmp_path: Path) -> None:
    layout = Layout(bases.joined(tmp_path / "base", bases.slim(tmp_path / "a", "amd64"), bases.slim(tmp_path / "b", "arm64")))
    from flyweight.toolkit.images.bases import read

    assert [base.machine for base in read(layout)] == ["x86_64", "arm64"]

"""An image in Docker's older manifest: the same blobs under other names, for one platform, as crane and a registry read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flyweight.toolkit.building import build
from flyweight.toolkit.images import ImageRefused, docker_format, media_types
from flyweight.toolkit.images.layout import Layout
from tests.toolkit.images import bases
from tests.toolkit.images.test_registries import crane, document, nobody, server, verb

__all__ = ["nobody", "server"]
DOCKER = "application/vnd.docker."


@pytest.fixture(scope="module")
def layout(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of one platform."""
    place = tmp_path_factory.mktemp("image")
    base = bases.slim(place / "base")
    built = build("sagemaker", penguins, place / "out", python="3.13", form="oci", base=str(base), with_bytecode=False)
    assert built.image is not None
    return built.image.layout


@pytest.mark.needs("registry")
def test_a_registry_and_crane_take_the_manifest_with_the_same_layers(server: tuple[str, Path], layout: Path) -> None:
    name = f"{server[0]}/sagemaker:1"
    pushed = document("push", layout, name, "--docker-format")
    manifest = json.loads(crane("manifest", name))
    assert crane("digest", name).strip() == pushed["digest"] and "PASS" in crane("validate", "--remote", name)
    assert manifest["mediaType"] == media_types.DOCKER_MANIFEST and "annotations" not in manifest
    kinds = {one["mediaType"] for one in [manifest["config"], *manifest["layers"]]}
    assert kinds == {f"{DOCKER}container.image.v1+json", f"{DOCKER}image.rootfs.diff.tar.gzip"}
    (image, *_) = Layout(layout).images()
    own = Layout(layout).document(image)
    assert [one["digest"] for one in manifest["layers"]] == [one["digest"] for one in own["layers"]]
    assert manifest["config"]["digest"] == own["config"]["digest"]
    assert pushed["digest"] != image["digest"] and verb("push", layout, name, "--docker-format").exit_code == 0


@pytest.mark.needs("registry")
def test_the_image_says_what_sagemaker_asks_for(server: tuple[str, Path], layout: Path) -> None:
    name = f"{server[0]}/labels:1"
    document("push", layout, name, "--docker-format")
    run = json.loads(crane("config", name))["config"]
    assert run["Cmd"] == ["serve"] and run["Entrypoint"][-1] == "server_main.py"
    capability = "com.amazonaws.sagemaker.capabilities"
    assert [run["Labels"][f"{capability}.{name}"] for name in ("accept-bind-to-port", "multi-models")] == ["true", "true"]


@pytest.mark.needs("registry")
def test_an_image_of_several_platforms_is_refused(server: tuple[str, Path], penguins: Path, tmp_path: Path) -> None:
    base = bases.joined(tmp_path / "base", *(bases.slim(tmp_path / arch, arch) for arch in ("amd64", "arm64")))
    build("sagemaker", penguins, tmp_path / "out", python="3.13", form="oci", base=str(base), with_bytecode=False)
    refused = verb("push", tmp_path / "out.oci", f"{server[0]}/several:1", "--docker-format")
    assert refused.exit_code == 1 and "is for 2 platforms" in refused.stderr and "--arch x86_64" in refused.stderr
    build("sagemaker", penguins, tmp_path / "one", python="3.13", form="oci", base=str(base), with_bytecode=False, arch="x86_64")
    assert verb("push", tmp_path / "one.oci", f"{server[0]}/several:1", "--docker-format").exit_code == 0


def test_a_layer_that_docker_has_no_name_for_is_refused() -> None:
    blob = {"digest": f"sha256:{'0' * 64}", "size": 1}
    with pytest.raises(ImageRefused, match="has no layers of the type"):
        docker_format.manifest(
            {"config": {**blob, "mediaType": media_types.CONFIG}, "layers": [{**blob, "mediaType": media_types.ZSTD}]}
        )

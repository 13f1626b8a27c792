"""A model file that a deployment does not trust is refused before anything in it is read."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from flyweight import settings
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.registry import verification
from flyweight.serving.sources import ModelSource

PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()


def load(path: Path, **environ: str) -> object:
    address = environ.pop("address", str(path))
    return ModelSource(settings.read(str(path.parent), {"FLYWEIGHT_CACHE_DIR": "off", **environ})).load(address, {})


def sign(path: Path, signed_name: str, signed_version: str, /, **beside: str) -> None:
    value = PRIVATE.sign(verification.message(verification.digest(path.read_bytes()), signed_name, signed_version))
    document = {"key": verification.key_id(PRIVATE.public_key().public_bytes_raw()), "value": base64.b64encode(value).decode()}
    path.with_name(f"{path.name}.sig").write_text(json.dumps({**document, **beside}))


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_nothing_of_a_file_is_read_before_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"\xff" * 64)
    monkeypatch.setattr(model_file, "parse", lambda data: pytest.fail("the file was read"))
    with pytest.raises(ModelRefused, match="is not signed"):
        load(path, FLYWEIGHT_PUBLIC_KEYS=KEY, address=address.format(path))
    with pytest.raises(ModelRefused, match="this deployment takes"):
        load(path, FLYWEIGHT_SHA256="0" * 64, address=address.format(path))
    sign(path, "other", "1.0.0", name="m", version="1.0.0")  # signed under another name than it says
    with pytest.raises(ModelRefused, match="is wrong"):
        load(path, FLYWEIGHT_PUBLIC_KEYS=KEY, address=address.format(path))


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_a_signed_file_is_loaded_under_the_name_that_was_signed(penguins: Path, tmp_path: Path, address: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(penguins.read_bytes())
    sign(path, "penguins", "1.0.0", name="penguins", version="1.0.0")
    load(path, FLYWEIGHT_PUBLIC_KEYS=KEY, address=address.format(path))
    sign(path, "penguins", "1.0.0")  # as an older flyweight wrote it
    load(path, FLYWEIGHT_PUBLIC_KEYS=KEY, address=address.format(path))
    sign(path, "seals", "1.0.0", name="seals", version="1.0.0")
    with pytest.raises(ModelRefused, match=r"calls itself 'penguins 1\.0\.0'"):
        load(path, FLYWEIGHT_PUBLIC_KEYS=KEY, address=address.format(path))

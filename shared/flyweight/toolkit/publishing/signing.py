"""Digital signatures of model files: keys are made, files signed; `flyweight/registry/verification.py` verifies them.

A digital signature is `{"key", "value"}`, the id of the public key and the value in base64. It stands in the record of a version
in a registry (under `signature`), or with the file's `sha256` in FILE.sig.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.registry import verification
from flyweight.toolkit import installation
from flyweight.toolkit.errors import ToolkitError

_MAKE_ONE = "make a key pair: `flyweight sign --new-key private.pem`"


class KeyRefused(ToolkitError):
    """A private key that can't be made or read."""


def new_key(path: Path) -> bytes:
    """Make a key pair: the private key in `path`, which only its owner may read, and the public key in `path`.pub.

    :returns: the raw public key, 32 bytes.
    :raises KeyRefused: one of the files exists already, or the library for digital signatures is not installed.
    """
    library = _library()
    key = library.ed25519.Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    for file in (path, public):
        if os.path.lexists(file):
            raise KeyRefused(f"{file} exists already, and a key is never overwritten", "give another path to --new-key")
    serialization = library.serialization
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _create(path, key.private_bytes(pem, pkcs8, plain), 0o600)
    _create(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    raw: bytes = key.public_key().public_bytes_raw()
    return raw


def sign(sha256: str, name: str, version: str, key: Path) -> dict[str, str]:
    """Sign a model.

    :param key: a PEM file with a private Ed25519 key.
    :returns: the digital signature: the id of the public key, and the value in base64.
    :raises KeyRefused: the file holds no private Ed25519 key that can be read without a password.
    :raises OSError: the file can't be opened.
    """
    library = _library()
    try:
        private = library.serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError, library.UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        reason = str(error).split(". ")[0].split("\n")[0]
        raise KeyRefused(f"{key} is not a private key in PEM that can be read: {reason}", _MAKE_ONE) from None
    if not isinstance(private, library.ed25519.Ed25519PrivateKey):
        raise KeyRefused(f"{key} is not an Ed25519 key", _MAKE_ONE)
    value = base64.b64encode(private.sign(verification.message(sha256, name, version))).decode()
    return {"key": verification.key_id(private.public_key().public_bytes_raw()), "value": value}


def read_for(path: Path, sha256: str) -> dict[str, Any] | None:
    """Read the digital signature in FILE.sig, as a record holds it; `verify` verifies it.

    :param path: the model file.
    :param sha256: the hash of the model file.
    :returns: the digital signature; None if there is no FILE.sig.
    :raises ModelRefused: FILE.sig is not valid, or belongs to other bytes.
    """
    document = verification.beside(str(path))
    if document is None:
        return None
    if document.get("sha256") != sha256:
        raise ModelRefused(
            f"{path}.sig is the digital signature of other bytes than those of {path}", f"sign anew, or remove {path}.sig"
        )
    return {"key": document.get("key"), "value": document.get("value")}


def write(path: Path, sha256: str, digital_signature: dict[str, Any], name: str = "", version: str = "") -> Path:
    """Write the digital signature of a model file to FILE.sig.

    :param name: the name under which it was signed, so that it can be verified before the file is read; "": not known.
    :param version: the version, likewise.

    :returns: the path of FILE.sig.
    :raises OSError: it can't be written.
    """
    place = path.with_name(f"{path.name}.sig")
    names = {"name": name, "version": version} if name else {}
    place.write_text(json.dumps({**digital_signature, "sha256": sha256, **names}, indent=2) + "\n", encoding="utf-8")
    return place


def verify(path: Path, keys: tuple[str, ...]) -> tuple[str, model_file.ModelFile]:
    """Verify the digital signature of a model file. No engine is asked, so nothing in the file is run.

    :param keys: public keys, each in base64 or the path of a PEM file.
    :returns: the id of the key that signed the file, and the file.
    :raises ModelRefused: none of the keys signed it, or it is not a model file.
    """
    data, digital_signature = model_file.contents(str(path)), verification.beside(str(path))
    file = verification.signed_file(data, verification.digest(data), digital_signature, keys)
    return str((digital_signature or {})["key"]), file


class _Library:
    """The parts of `cryptography` that signing uses."""

    def __init__(self) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519

        self.UnsupportedAlgorithm, self.serialization, self.ed25519 = UnsupportedAlgorithm, serialization, ed25519


def _library() -> _Library:
    """Import `cryptography`.

    :raises KeyRefused: it is not installed.
    """
    try:
        return _Library()
    except ImportError as error:
        raise KeyRefused(f"signing needs a library that is not installed here: {error}", installation.command("sign")) from None


def _create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file with this mode.

    :raises FileExistsError: there is such a file.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)

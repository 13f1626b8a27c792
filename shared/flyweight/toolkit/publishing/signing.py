"""A private key and a model file come in, a signature goes out, into a record or as FILE.sig; `verification.py` checks it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from flyweight.errors import FlyweightError, ModelRefused
from flyweight.models import file as model_file
from flyweight.registry import verification


class KeyRefused(FlyweightError):
    """A private key that can't be made or read; `next_step` says what to do."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


def new_key(path: Path) -> bytes:
    """Make a key pair, `path` for its owner's eyes alone and `path`.pub for all; the raw public key.

    :raises KeyRefused: one of them is there already.
    """
    serialization = _library().serialization
    key = _library().ed25519.Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    for taken in (path, public):
        if os.path.lexists(taken):
            raise KeyRefused(f"{taken} is there already, and a key is never written over", "give another path to --new-key")
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _create(path, key.private_bytes(pem, pkcs8, plain), 0o600)
    _create(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    raw: bytes = key.public_key().public_bytes_raw()
    return raw


def sign(sha256: str, name: str, version: str, key: Path) -> dict[str, str]:
    """The signature of a model by the private key in a PEM file: the key's id, and the value in base64.

    :raises KeyRefused: the file holds no Ed25519 key that can be read.
    :raises OSError: it can't be opened.
    """
    try:
        private = _library().serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError, _library().UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        reason = str(error).split(". ")[0].split("\n")[0]
        raise KeyRefused(f"{key} is no private key in PEM that can be read: {reason}", _MAKE_ONE) from None
    if not isinstance(private, _library().ed25519.Ed25519PrivateKey):
        raise KeyRefused(f"{key} is a key of another kind than Ed25519", _MAKE_ONE)
    value = base64.b64encode(private.sign(verification.message(sha256, name, version))).decode()
    return {"key": verification.key_id(private.public_key().public_bytes_raw()), "value": value}


def of_these_bytes(path: Path, sha256: str) -> dict[str, Any] | None:
    """The signature beside a model file as a record holds it, None where there is none; whether it holds, `verify` says.

    :raises ModelRefused: it is no signature, or one of other bytes.
    """
    found = verification.beside(str(path))
    if found is None:
        return None
    if found.get("sha256") != sha256:
        raise ModelRefused(f"{path}.sig is the signature of other bytes than {path} has", f"sign anew, or remove {path}.sig")
    return {"key": found.get("key"), "value": found.get("value")}


def write(path: Path, sha256: str, signature: dict[str, Any]) -> Path:
    """Put a signature beside its model file, as FILE.sig."""
    place = path.with_name(f"{path.name}.sig")
    place.write_text(json.dumps({**signature, "sha256": sha256}, indent=2) + "\n")
    return place


def verify(path: Path, keys: tuple[str, ...]) -> tuple[str, model_file.ModelFile]:
    """The id of the key that signed the model file at `path`, and the file; no engine is asked, so nothing in it is run.

    :raises ModelRefused: none of `keys` did, or it is not a model file.
    """
    file = model_file.read(str(path))
    name, version = (str(file.document.get(word)) for word in ("name", "version"))
    return verification.check(file.sha256, name, version, verification.beside(str(path)), keys), file


_MAKE_ONE = "make a key pair: `flyweight sign --new-key private.pem`"


class _Library:
    """The parts of the library that signing takes."""

    def __init__(self) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519

        self.UnsupportedAlgorithm, self.serialization, self.ed25519 = UnsupportedAlgorithm, serialization, ed25519


def _library() -> Any:
    try:
        return _Library()
    except ImportError as error:
        raise KeyRefused(f"signing needs a library that is not here: {error}", "pip install 'flyweight[sign]'") from None


def _create(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)

"""Sign images in cosign's format with a key, and verify such signatures, without cosign.

https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md: a signature signs a payload of JSON that names the image's
digest. Payloads are the layers of a manifest under the tag `sha256-DIGEST.sig`, each with its signature in an annotation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.toolkit import installation
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.images import media_types
from flyweight.toolkit.images.layout import BLOCK, LARGEST_DOCUMENT, Checked, Descriptor, canonical, entries, parsed
from flyweight.toolkit.images.registry import Registry, RegistryRefused

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
ANNOTATION = "dev.cosignproject.cosign/signature"
KIND = "cosign container image signature"
MAKE_ONE = "make a key pair: flyweight image sign --new-key image.pem"


class SignatureRefused(ToolkitError):
    """A key that can't be used, or an image that no key has signed."""


@dataclass(frozen=True)
class Signed:
    """A signed image: its digest, and the names under which it was signed."""

    digest: str
    names: list[str]


def new_key(path: Path) -> None:
    """Make a key pair for the curve P-256: the private key in `path`, which its owner alone may read, the public in `path`.pub.

    :raises SignatureRefused: one of the files exists already, or the library for digital signatures is not installed.
    """
    library = _library()
    key = library.ec.generate_private_key(library.ec.SECP256R1())
    serialization = library.serialization
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    files = {path: (private, 0o600), path.with_name(f"{path.name}.pub"): (public, 0o644)}
    for file in files:
        if os.path.lexists(file):
            raise SignatureRefused(f"{file} exists already, and a key is never overwritten", "give another path to --new-key")
    for file, (data, mode) in files.items():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            opened.write(data)


def sign(registry: Registry, key: Path) -> str:
    """Sign the image of a reference, and push the signature beside it; signatures that are there already stay.

    :param key: a PEM file with a private key for the curve P-256, without a password.
    :returns: the digest that was signed.
    :raises SignatureRefused: the key can't be used.
    :raises RegistryRefused: the registry has no such image, or refuses the signature.
    """
    library = _library()
    private = library.private(key)
    digest = _digest(registry)
    payload = canonical(
        {
            "critical": {
                "identity": {"docker-reference": registry.reference.repository},
                "image": {"docker-manifest-digest": digest},
                "type": KIND,
            },
            "optional": None,
        }
    )
    signature = base64.b64encode(private.sign(payload, library.ec.ECDSA(library.hashes.SHA256()))).decode()
    layer = {**_upload(registry, PAYLOAD, payload), "annotations": {ANNOTATION: signature}}
    layers = [*_layers(registry, digest), layer]
    rootfs = {"type": "layers", "diff_ids": [one["digest"] for one in layers]}
    config = canonical({"architecture": "", "os": "", "config": {}, "rootfs": rootfs})
    described = _upload(registry, media_types.CONFIG, config)
    manifest = {"schemaVersion": 2, "mediaType": media_types.MANIFEST, "config": described, "layers": layers}
    registry.put_manifest(_tag(digest), media_types.MANIFEST, canonical(manifest))
    return digest


def verify(registry: Registry, keys: tuple[Path, ...]) -> Signed:
    """Verify that one of these keys has signed the image of a reference.

    :param keys: PEM files with public keys for the curve P-256.
    :raises SignatureRefused: none of them has.
    :raises RegistryRefused: the registry has no such image.
    """
    library = _library()
    public = [library.public(key) for key in keys]
    digest = _digest(registry)
    names = []
    for layer in _layers(registry, digest):
        noted = layer.get("annotations")
        signature = _decoded(noted.get(ANNOTATION) if isinstance(noted, dict) else None)
        if layer["mediaType"] != PAYLOAD or layer["size"] > LARGEST_DOCUMENT:
            continue
        with io.BufferedReader(Checked(registry.blob(layer), layer), BLOCK) as stream:
            payload = stream.read()
        if any(library.verifies(one, signature, payload) for one in public) and (name := _name(payload, digest)) is not None:
            names.append(name)
    if not names:
        listed = ", ".join(map(str, keys))
        step = "don't run it; have it signed with that key: flyweight image sign REFERENCE --key PRIVATE"
        raise SignatureRefused(f"no signature of {registry.reference.at(digest)} is of {listed}", step)
    return Signed(digest, sorted(set(names)))


def _digest(registry: Registry) -> str:
    """Return the digest of the reference's image.

    :raises RegistryRefused: there is no such image.
    """
    found = registry.manifest(registry.reference.label)
    if found is None:
        raise RegistryRefused(f"{registry.reference} does not exist", "push it: flyweight image push DIR.oci REFERENCE")
    return str(found[0]["digest"])


def _tag(digest: str) -> str:
    """Return the tag of an image's signatures."""
    return f"{digest.replace(':', '-')}.sig"


def _layers(registry: Registry, digest: str) -> list[Descriptor]:
    """List the payloads that were signed for an image."""
    found = registry.manifest(_tag(digest))
    return entries(parsed(found[1], _tag(digest)), "layers") if found else []


def _upload(registry: Registry, kind: str, data: bytes) -> Descriptor:
    """Upload a small blob."""
    descriptor: Descriptor = {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
    if not registry.has_blob(descriptor["digest"]):
        registry.upload(descriptor, lambda: io.BytesIO(data))
    return descriptor


def _decoded(text: Any) -> bytes:
    """Decode a signature; b"" for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return b""


def _name(payload: bytes, digest: str) -> str | None:
    """Return the name under which a payload says that it signs an image; None if it signs another."""
    try:
        critical = json.loads(payload)["critical"]
        if critical["image"]["docker-manifest-digest"] != digest or critical["type"] != KIND:
            return None
        return str(critical["identity"]["docker-reference"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class _Library:
    """The parts of `cryptography` that signing uses."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self.InvalidSignature, self.UnsupportedAlgorithm = InvalidSignature, UnsupportedAlgorithm
        self.hashes, self.serialization, self.ec = hashes, serialization, ec

    def private(self, path: Path) -> Any:
        """Read a private key."""
        return self._key(path, lambda data: self.serialization.load_pem_private_key(data, password=None), "Private")

    def public(self, path: Path) -> Any:
        """Read a public key."""
        return self._key(path, self.serialization.load_pem_public_key, "Public")

    def _key(self, path: Path, load: Any, kind: str) -> Any:
        """Read a key for the curve P-256.

        :raises SignatureRefused: the file has none.
        """
        data = path.read_bytes()
        if b"ENCRYPTED" in data:
            step = f"{MAKE_ONE}; cosign imports it with `cosign import-key-pair`"
            raise SignatureRefused(f"{path} is encrypted with a password, as cosign's own keys are", step)
        try:
            key = load(data)
        except (ValueError, TypeError, self.UnsupportedAlgorithm) as error:
            raise SignatureRefused(f"{path} has no {kind.lower()} key in PEM: {str(error).splitlines()[0]}", MAKE_ONE) from None
        wanted = getattr(self.ec, f"EllipticCurve{kind}Key")
        if not isinstance(key, wanted) or not isinstance(key.curve, self.ec.SECP256R1):
            raise SignatureRefused(f"{path} is not a key for ECDSA on the curve P-256, which cosign uses", MAKE_ONE)
        return key

    def verifies(self, key: Any, signature: bytes, payload: bytes) -> bool:
        """Tell whether a key has signed a payload."""
        try:
            key.verify(signature, payload, self.ec.ECDSA(self.hashes.SHA256()))
        except self.InvalidSignature:
            return False
        return True


def _library() -> _Library:
    """Import `cryptography`.

    :raises SignatureRefused: it is not installed.
    """
    try:
        return _Library()
    except ImportError as error:
        step = installation.command("sign")
        raise SignatureRefused(f"signing needs a library that is not installed here: {error}", step) from None

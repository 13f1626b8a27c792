"""Who vouches for a model: its hash, its name and a signature come in, the key that signed goes out, or ModelRefused.

Imported only where a deployment requires signatures, and the library only for a signature by a key that is known.
"""

# imports late: cryptography

import binascii

from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONTEXT = "flyweight-model-v1"  # stands first in what is signed, so that a signature of anything else is never one of a model
MAX_FILE_BYTES = 10_000
# An Ed25519 public key in DER is these bytes and the key's 32 (RFC 8410, section 4). The library's reader of PEM would read
# the same, and importing it costs more than twice what importing Ed25519 itself does (docs/decisions/0012-signatures.md).
_DER = bytes.fromhex("302a300506032b6570032100")


def message(sha256: str, name: str, version: str) -> bytes:
    """What is signed of a model."""
    return f"{CONTEXT}\n{sha256}\n{name}@{version}".encode("utf-8", "surrogatepass")


def key_id(raw: bytes) -> str:
    """The name of a public key, 16 letters."""
    import hashlib

    return hashlib.sha256(raw).hexdigest()[:16]


def check(sha256: str, name: str, version: str, signature: "dict[str, Any] | None", keys: "tuple[str, ...]") -> str:
    """The id of the key that signed this model, one of `keys`: each 32 bytes in base64, or the path of a PEM file.

    :raises ModelRefused: unsigned, signed by another key, or not what was signed; or a key that is none.
    """
    known = {key_id(raw): raw for raw in public_keys(keys)}
    if not isinstance(signature, dict):
        raise ModelRefused(
            f"the model {name} {version} is not signed, and signatures are required here",
            "sign it: `flyweight push FILE STORE --key private.pem`, or `flyweight sign FILE --key private.pem` for a plain file",
        )
    signer, value = signature.get("key"), signature.get("value")
    if not isinstance(signer, str) or signer not in known:
        raise ModelRefused(
            f"the model {name} {version} is signed by the key {preview(signer)}, which is not trusted here",
            f"sign it by a key that is ({', '.join(known) or 'there is none'}), or add that key's public half to those trusted",
        )
    if not _verified(known[signer], value, message(sha256, name, version)):
        raise ModelRefused(
            f"the signature of the model {name} {version} is wrong: the key {signer} did not sign these bytes under this name",
            "do not use these bytes: fetch or push them again, and if that does not help find out who changed them",
        )
    return signer


def beside(path: str) -> "dict[str, Any] | None":
    """The signature that lies beside a model file as FILE.sig, None where there is none; whether it holds is for `check` to say.

    :raises ModelRefused: it is not a JSON object.
    :raises OSError: it is there and can't be read.
    """
    import json

    try:
        with open(f"{path}.sig", "rb") as file:
            found = json.loads(file.read(MAX_FILE_BYTES))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ModelRefused(
            "what lies beside the model as its signature is none", "sign it anew: `flyweight sign FILE --key private.pem`"
        )
    return found


def public_keys(keys: "tuple[str, ...]") -> "list[bytes]":
    """The raw bytes of each key.

    :raises ModelRefused: one is no Ed25519 public key; its path stays untold, as this may reach a caller.
    """
    found = []
    for number, text in enumerate(keys, 1):
        raw = _raw(text)
        if raw is None:
            raise ModelRefused(
                f"public key {number} of {len(keys)} is neither 32 bytes in base64 nor an Ed25519 public key in a PEM file",
                "give what `flyweight sign --new-key PATH` wrote to PATH.pub, or the base64 that it printed",
            )
        found.append(raw)
    return found


def _raw(text: str) -> "bytes | None":
    raw = _base64(text)
    if raw is not None and len(raw) == 32:
        return raw
    try:
        with open(text, encoding="ascii") as file:
            lines = file.read(MAX_FILE_BYTES).split("\n")
        begin, end = lines.index("-----BEGIN PUBLIC KEY-----"), lines.index("-----END PUBLIC KEY-----")
    except (OSError, ValueError):  # no such file, a path that can't be one, not text, no such lines
        return None
    der = _base64("".join(lines[begin + 1 : end]))
    return der[len(_DER) :] if der is not None and der.startswith(_DER) and len(der) == len(_DER) + 32 else None


def _base64(text: "Any") -> "bytes | None":
    try:
        return binascii.a2b_base64(text, strict_mode=True) if isinstance(text, str) else None
    except ValueError:
        return None


def _verified(raw: bytes, value: "Any", signed: bytes) -> bool:
    given = _base64(value)
    if given is None or len(given) != 64:
        return False
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ModelRefused(
            f"signatures are required here, and nothing can verify them: {error}", "install `cryptography` beside flyweight"
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(given, signed)
    except InvalidSignature:
        return False
    return True

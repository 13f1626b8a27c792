"""Verify the hash and the digital signature of a model.

`cryptography` is imported late: only a digital signature by a known key needs it.
"""

# imports late: cryptography

from flyweight.errors import ModelRefused, preview
from flyweight.models import file as model_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap
    from typing import Any

    from flyweight.models.file import ModelFile

CONTEXT = "flyweight-model-v1"  # begins each signed message, so that no digital signature of another text is one of a model
MAX_FILE_BYTES = 10_000
# An Ed25519 public key in DER is these bytes and the key's 32 (RFC 8410, section 4). The library's reader of PEM would give the
# same key, but its import takes more than twice as long as that of Ed25519 (docs/decisions/0012-digital-signatures.md).
_DER = bytes.fromhex("302a300506032b6570032100")


def message(sha256: str, name: str, version: str) -> bytes:
    """Make the message that is signed for a model."""
    return f"{CONTEXT}\n{sha256}\n{name}@{version}".encode("utf-8", "surrogatepass")


def key_id(raw: bytes) -> str:
    """Make the id of a public key: the first 16 hexadecimal digits of its sha256.

    :param raw: the 32 bytes of the key.
    """
    import hashlib

    return hashlib.sha256(raw).hexdigest()[:16]


def check_pin(sha256: str, pin: str) -> None:
    """Check the hash of a model against the only one that the deployment accepts.

    :param sha256: the hash; "" if it is not known yet.
    :param pin: the accepted hash; "": any.
    :raises ModelRefused: the hash is another one.
    """
    if pin and sha256 and sha256 != pin:
        raise ModelRefused(f"the model's sha256 is {sha256}, this deployment takes {pin} only")


def check(sha256: str, name: str, version: str, digital_signature: "dict[str, Any] | None", keys: "tuple[str, ...]") -> str:
    """Verify the digital signature of a model.

    :param digital_signature: `{"key": KEY_ID, "value": BASE64}`, of any content; None: the model has none.
    :param keys: the trusted public keys, each 32 bytes in base64 or the path of a PEM file.
    :returns: the id of the key that signed.
    :raises ModelRefused: no digital signature, one by another key, or one of other bytes or another name; or a malformed key.
    """
    known = {key_id(raw): raw for raw in public_keys(keys)}
    model = f"the model {name} {version}".rstrip()
    if not isinstance(digital_signature, dict):
        raise ModelRefused(
            f"{model} is not signed, and this deployment requires a digital signature",
            "sign it: `flyweight push FILE STORE --key private.pem`, or `flyweight sign FILE --key private.pem` for a plain file",
        )
    signer, value = digital_signature.get("key"), digital_signature.get("value")
    if not isinstance(signer, str) or signer not in known:
        trusted = f"one of the trusted keys ({', '.join(known)})" if known else "a trusted key (no key is trusted yet)"
        raise ModelRefused(
            f"{model} is signed by the key {preview(signer)}, which is not trusted here",
            f"sign it by {trusted}, or add the public half of that key to the trusted ones",
        )
    if not _verifies(known[signer], value, message(sha256, name, version)):
        raise ModelRefused(
            f"the digital signature of {name} {version} is wrong: the key {signer} did not sign these bytes under this name",
            "do not use these bytes: fetch or push them again, and if that does not help find out who changed them",
        )
    return signer


def signed_file(
    data: "bytes | mmap", sha256: str, digital_signature: "dict[str, Any] | None", keys: "tuple[str, ...]"
) -> "ModelFile":
    """Verify the digital signature of a file that has no record, and parse the file.

    FILE.sig says under which name and version the file was signed, so that nothing in the file is read before it is verified. One
    that an older flyweight wrote does not; then the file's document says it, and only that is read before.

    :param data: the bytes of the file.
    :param sha256: their hash.
    :param digital_signature: the content of FILE.sig; None: there is no such file.
    :raises ModelRefused: as `check`; not a model file; or a file of another name or version.
    """
    told = digital_signature if isinstance(digital_signature, dict) else {}
    names = [told[field] for field in ("name", "version") if isinstance(told.get(field), str)]
    if len(names) == 2 or not told:
        name, version = names or ("in this file", "")
        check(sha256, name, version, digital_signature, keys)
    file = model_file.parse(data)
    found = [str(file.document.get(field)) for field in ("name", "version")]
    if len(names) < 2:
        check(sha256, found[0], found[1], digital_signature, keys)
    elif found != names:
        raise ModelRefused(f"the file calls itself {preview(' '.join(found))}, its digital signature {preview(' '.join(names))}")
    return file


def digest(data: "bytes | mmap") -> str:
    """Compute the sha256 of bytes, in hexadecimal."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def beside(path: str) -> "dict[str, Any] | None":
    """Read FILE.sig, the digital signature beside a model file; None if there is no such file. `check` verifies it.

    :param path: of the model file.
    :raises ModelRefused: FILE.sig is not a JSON object.
    :raises OSError: FILE.sig exists and can't be read.
    """
    import json

    try:
        with open(f"{path}.sig", "rb") as file:
            document = json.loads(file.read(MAX_FILE_BYTES))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ModelRefused(
            "FILE.sig is not a valid digital signature file", "sign the model again: `flyweight sign FILE --key private.pem`"
        )
    return document


def public_keys(keys: "tuple[str, ...]") -> "list[bytes]":
    """Read the 32 bytes of each public key.

    :raises ModelRefused: a key is not an Ed25519 public key. The message does not repeat its path, since callers may see it.
    """
    raw_keys = []
    for number, text in enumerate(keys, 1):
        raw = _raw(text)
        if raw is None:
            raise ModelRefused(
                f"public key {number} of {len(keys)} is neither 32 bytes in base64 nor the path of a PEM file "
                "with an Ed25519 public key",
                "give what `flyweight sign --new-key PATH` wrote to PATH.pub, or the base64 that it printed",
            )
        raw_keys.append(raw)
    return raw_keys


def _raw(text: str) -> "bytes | None":
    """Read the 32 bytes of a public key from base64, or from a PEM file; None if the text is neither."""
    raw = _base64(text)
    if raw is not None and len(raw) == 32:
        return raw
    try:
        with open(text, encoding="ascii") as file:
            lines = file.read(MAX_FILE_BYTES).split("\n")
        begin, end = lines.index("-----BEGIN PUBLIC KEY-----"), lines.index("-----END PUBLIC KEY-----")
    except (OSError, ValueError):  # no such file, not a path, not ASCII, or no such lines
        return None
    der = _base64("".join(lines[begin + 1 : end]))
    return der[len(_DER) :] if der is not None and der.startswith(_DER) and len(der) == len(_DER) + 32 else None


def _base64(text: "Any") -> "bytes | None":
    """Decode base64; None if the value is not a text of base64."""
    from binascii import a2b_base64  # imported late: few models are signed

    try:
        return a2b_base64(text, strict_mode=True) if isinstance(text, str) else None
    except ValueError:
        return None


def _verifies(raw: bytes, value: "Any", signed: bytes) -> bool:
    """Tell whether a value is a key's digital signature of a message.

    :param raw: the 32 bytes of the public key.
    :param value: 64 bytes in base64, of any content.
    :param signed: the message.
    :raises ModelRefused: the library that verifies is not installed.
    """
    signature = _base64(value)
    if signature is None or len(signature) != 64:
        return False
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ModelRefused(
            f"this deployment requires digital signatures, and nothing can verify them: {error}",
            "install `cryptography` beside flyweight",
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed)
    except InvalidSignature:
        return False
    return True

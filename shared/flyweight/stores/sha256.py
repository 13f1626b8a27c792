"""SHA-256 and HMAC by the part in C under `hashlib` and `hmac`, whose other parts nothing here needs."""

try:
    from _hashlib import hmac_digest
    from _hashlib import openssl_sha256 as sha256
except ImportError:  # a Python that was built without OpenSSL
    import hmac
    from hashlib import sha256

    hmac_digest = hmac.digest  # type: ignore[assignment]

__all__ = ["hmac_sha256", "sha256"]


def hmac_sha256(key: bytes, text: str) -> bytes:
    """Compute the HMAC of a text."""
    return hmac_digest(key, text.encode(), "sha256")

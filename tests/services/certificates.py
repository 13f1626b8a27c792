"""An authority of certificates, made for tests: it issues certificates that are sound, expired, or of another host."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
PEM = serialization.Encoding.PEM
SECRET = (PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """An authority with a name; `pem` is its own certificate."""

    def __init__(self, name: str = "tests") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        now = datetime.now(UTC)
        built = x509.CertificateBuilder(self._name, self._name, self._key.public_key(), 1, now - DAY, now + DAY)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.pem = built.add_extension(signs, critical=True).sign(self._key, hashes.SHA256()).public_bytes(PEM)

    @property
    def subject_hash(self) -> str:
        """The hash by which OpenSSL finds this authority in a folder; for names of small letters only."""
        return hashlib.sha1(self._name.public_bytes()[2:]).digest()[3::-1].hex()

    def issue(self, path: Path, *hosts: str, days: int = 1, own: bool = False) -> Path:
        """Write a certificate for hosts, with its key.

        :param days: for which it is valid from now on; below zero: the days since it has expired.
        :param own: whether it is signed by its own key, and by no authority.
        """
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        until = now + days * DAY
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of the tests")])
        names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
        built = x509.CertificateBuilder(
            subject if own else self._name, subject, key.public_key(), x509.random_serial_number(), min(now, until) - DAY, until
        )
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signer = key if own else self._key
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        signed = built.add_extension(issuer, critical=False).sign(signer, hashes.SHA256())
        path.write_bytes(key.private_bytes(*SECRET) + signed.public_bytes(PEM))
        return path

"""Encrypt connections by the part in C under `ssl`, which takes a tenth of the package's time to load.

Certificates and host names are always verified, by the authorities that the system trusts. To read a file of all of them takes
longer than the rest of a cold start. A folder that has them by their hashes is read one by one, as needed, and of a file only
those of the cloud itself are read at first. If these don't verify a server, all are read and the server is asked again, so that
the same servers are trusted as by `ssl.create_default_context()`.
"""

from _ssl import (
    HOSTFLAG_NEVER_CHECK_SUBJECT,
    PROTOCOL_TLS_CLIENT,
    SSLCertVerificationError,
    _SSLContext,
    get_default_verify_paths,
)

from flyweight.errors import StoreFailed
from flyweight.settings import variable

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from typing import Any

# in the names of the authorities of Amazon's servers: https://www.amazontrust.com/repository/
NAME = b"Amazon"
# the name in base64, by where in a group of three bytes it begins: the letters that the bytes beside it do not change
ENCODED = (b"QW1hem9u", b"FtYXpvb", b"BbWF6b2")
BEGIN, END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
MOST = 8 << 20  # bytes of a file of authorities
TLS_1_2 = 0x0303
FEW, ALL = "few", "all"

_contexts: "dict[str, Any]" = {}  # made once in a process; without FEW once that has failed


def encrypted(connect: "Callable[[], socket]", host: str) -> "tuple[socket, Any]":
    """Connect, and agree on keys with a server that proves to be the host.

    :param connect: makes a connection with a timeout, a second time if all authorities of the system have to be read.
    :returns: the connection, and what reads and writes over it.
    :raises StoreFailed: the server's certificate is not trusted, or is one of another host.
    :raises OSError: the connection failed.
    """
    if not _contexts:
        made = _context_of_few()
        _contexts.update({FEW: made} if made is not None else {ALL: _context_of_all()})
    few = _contexts.get(FEW)
    if few is not None:
        try:
            return _agreed(few, connect(), host)
        except SSLCertVerificationError:
            _contexts.setdefault(ALL, _context_of_all())
    try:
        found = _agreed(_contexts[ALL], connect(), host)
    except SSLCertVerificationError:
        raise StoreFailed(f"{host[:100]} has no certificate that this system trusts for that name") from None
    _contexts.pop(FEW, None)
    return found


def _agreed(context: "Any", connection: "socket", host: str) -> "tuple[socket, Any]":
    """Agree on keys over a connection, which is closed if that fails.

    :raises OSError: it failed.
    """
    try:
        secure = context._wrap_socket(connection, False, host)
        secure.do_handshake()
    except BaseException:
        connection.close()
        raise
    return connection, secure


def _context() -> "Any":
    """Make a context that trusts nobody yet; its protocol implies that certificates and host names are verified."""
    context: Any = _SSLContext(PROTOCOL_TLS_CLIENT)
    context._host_flags |= HOSTFLAG_NEVER_CHECK_SUBJECT
    context.minimum_version = TLS_1_2
    return context


def _context_of_all() -> "Any":
    """Make a context that trusts all authorities of the system, and of the variables SSL_CERT_FILE and SSL_CERT_DIR."""
    context = _context()
    context.set_default_verify_paths()
    return context


def _context_of_few() -> "Any":
    """Make a context that trusts a part of the system's authorities; None if they are not in a form that allows this."""
    of_file, file, of_folder, folder = get_default_verify_paths()
    folder, file = variable(of_folder) or folder, variable(of_file) or file
    context = _context()
    if not variable(of_file) and _has_hashes(folder):
        context.load_verify_locations(None, folder, None)
        return context
    from binascii import a2b_base64

    try:
        with open(file, "rb") as opened:
            parts = opened.read(MOST).replace(b"\r", b"").replace(b"\n", b"").split(BEGIN)[1:]
        likely = [part.partition(END)[0] for part in parts if any([text in part for text in ENCODED])]
        chosen = [der for der in map(a2b_base64, likely) if NAME in der]
        context.load_verify_locations(None, None, b"".join(chosen))
    except (OSError, ValueError):  # no such file, a malformed one, or one without these authorities
        return None
    return context


def _has_hashes(folder: str) -> bool:
    """Tell whether a folder has authorities by their hashes, as 002c0b4f.0 (https://docs.openssl.org/3.0/man1/openssl-rehash/)."""
    try:
        return any([len(name) == 10 and name.endswith(".0") for name in os.listdir(folder)])
    except OSError:
        return False

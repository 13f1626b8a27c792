"""Answer the Open Inference Protocol over gRPC, by the service that answers HTTP, if FLYWEIGHT_GRPC_PORT is set.

Each call becomes a request of the protocol over HTTP, so that limits, models, errors and log lines are the same. grpcio is
imported after a fork, because its parts in C do not survive one.
"""

import sys

from server_grpc_messages import ALL, SERVICE, read, write

from flyweight import strict_json
from flyweight.errors import (
    OK,
    FlyweightError,
    Forbidden,
    InvalidSetting,
    MethodNotAllowed,
    ModelUnavailable,
    NotFound,
    TooLarge,
)
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from typing import Any

    from server_grpc_messages import Asked

    from flyweight.serving.service import Service
    from flyweight.settings import Serving
    from flyweight.values import Response

THREADS = 16  # that answer; calls beyond them wait, up to FLYWEIGHT_CONNECTIONS
HEADERS = ("x-request-id", "x-flyweight-key")  # that a caller may send as metadata
MOST_DETAILS = 600  # characters of an error: clients take 8 kB of metadata, and each may need 12 bytes
READINESS = ("ServerReady", "ModelReady")  # methods that answer false where HTTP answers 503
PROTOCOL = "open_inference"
# from statuses of HTTP to codes; other faults of a caller are INVALID_ARGUMENT
CODES = {
    NotFound.status: "NOT_FOUND",
    Forbidden.status: "PERMISSION_DENIED",
    MethodNotAllowed.status: "UNIMPLEMENTED",
    TooLarge.status: "RESOURCE_EXHAUSTED",
    ModelUnavailable.status: "UNAVAILABLE",
}


def reserved(service: "Service", bounds: "Serving") -> "socket | None":
    """Check before a fork that gRPC can be answered.

    :returns: for several processes a socket that keeps the port from other programs while it is open.
    :raises InvalidSetting: grpcio is not installed, the protocol is not among the deployment's, or several processes can't share
        a port on this system.
    :raises OSError: the port is in use.
    """
    import _socket
    from importlib.util import find_spec

    place = f"FLYWEIGHT_GRPC_PORT={bounds.grpc_port}"
    if find_spec("grpc") is None:
        raise InvalidSetting(f"{place} needs the package grpcio, which is not installed; run: pip install grpcio")
    chosen = service.settings.protocols
    if chosen and PROTOCOL not in chosen:
        raise InvalidSetting(f"{place} needs {PROTOCOL} in FLYWEIGHT_PROTOCOLS, got {','.join(chosen)!r}")
    if find_spec(f"flyweight.protocols.{PROTOCOL}") is None:
        raise InvalidSetting(f"{place} needs the protocol {PROTOCOL}; build the folder with --protocol {PROTOCOL}")
    if bounds.workers == 1:
        return None
    if not hasattr(_socket, "SO_REUSEPORT"):
        raise InvalidSetting(f"{place}: on this system one process answers gRPC; set FLYWEIGHT_WORKERS=1")
    usual = bounds.host or "0.0.0.0"
    held = _socket.socket(_socket.AF_INET6 if ":" in usual else _socket.AF_INET, _socket.SOCK_STREAM)
    held.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEPORT, 1)
    try:
        held.bind((usual, bounds.grpc_port))
    except OSError as error:
        held.close()
        raise OSError(f"{place} can't be listened on at {usual}: {error}") from None
    return held


class Calls:
    """The server of gRPC of one process, which answers from now on.

    Several processes have a port each by SO_REUSEPORT: the system gives each new connection to one of them.

    :raises OSError: the port is in use.
    """

    def __init__(self, service: "Service", bounds: "Serving") -> None:
        from concurrent.futures import ThreadPoolExecutor

        import grpc

        self._service, self._codes = service, grpc.StatusCode
        self._at_work: set[Call] = set()
        self._ended: Any = None
        methods = {name: grpc.unary_unary_rpc_method_handler(self._method(name)) for name in ALL}
        options = [
            ("grpc.max_receive_message_length", service.settings.limits.max_body_bytes),
            ("grpc.so_reuseport", int(bounds.workers > 1)),
        ]
        self._server: Any = grpc.server(
            ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"),
            handlers=[grpc.method_handlers_generic_handler(SERVICE, methods)],
            options=options,
            maximum_concurrent_rpcs=bounds.connections,
        )
        host = bounds.host or "::"
        try:
            port = self._server.add_insecure_port(f"{f'[{host}]' if ':' in host else host}:{bounds.grpc_port}")
        except RuntimeError:  # older releases return 0
            port = 0
        if not port:
            raise OSError(f"FLYWEIGHT_GRPC_PORT={bounds.grpc_port} can't be listened on at {host}; is the port in use?")
        self._server.start()

    def stop(self, grace_seconds: float) -> None:
        """Take no new calls, and end those that are not finished within the grace."""
        self._ended = self._server.stop(grace_seconds)

    def drain(self) -> bool:
        """Wait for the end that `stop` has begun; return whether all calls were finished within the grace."""
        self._ended.wait()
        return not self._at_work

    def _method(self, name: str) -> "Callable[[bytes, Any], bytes]":
        """Make what answers the calls of one method."""

        def answer(message: bytes, context: "Any") -> bytes:
            call = Call(name, message, dict(context.invocation_metadata()), self._service.settings.base_path)
            self._at_work.add(call)
            try:
                response = self._service.respond(call.decode, ())
                context.set_trailing_metadata(_metadata(response))
                written, code, details = call.written(response)
            finally:
                self._at_work.discard(call)
            if code:
                context.abort(getattr(self._codes, code), details[:MOST_DETAILS].encode("utf-8", "replace").decode())
            return written

        return answer


class Call:
    """One call: its request, and its answer in gRPC's words.

    :param metadata: what the caller sent beside the message.
    :param base_path: below which the deployment's paths are.
    """

    def __init__(self, method: str, message: bytes, metadata: "dict[str, str | bytes]", base_path: str) -> None:
        self._method, self._message, self._base = method, message, base_path.strip("/")
        self._headers = {name: str(metadata[name]) for name in HEADERS if name in metadata}
        self._asked: Asked | None = None
        self._refusal = ""

    def decode(self) -> Request:
        """Make the request over HTTP.

        :raises FlyweightError: as `server_grpc_messages.read`.
        """
        try:
            asked = self._asked = read(self._method, self._message)
        except FlyweightError as error:
            self._refusal = str(error)
            raise
        path = f"/{self._base}{asked.path}" if self._base else asked.path
        headers = {**self._headers, **asked.headers}
        return Request(asked.method, path, headers, asked.body, self._headers.get("x-request-id", ""))

    def written(self, response: "Response") -> "tuple[bytes, str, str]":
        """Say the answer in gRPC's words.

        :returns: the message; or else the name of the code of an error, and its text.
        """
        status = response.status
        unexpected = f"internal error; the log has it under the request id {response.headers['x-request-id']}"
        if status == ModelUnavailable.status and self._method in READINESS:
            return b"", "", ""
        if status != OK or self._asked is None:
            code = CODES.get(status) or ("INTERNAL" if status >= FlyweightError.status else "INVALID_ARGUMENT")
            return b"", code, self._refusal or _told(response.body) or unexpected
        try:
            return write(self._method, self._asked, response.body, response.headers), "", ""
        except Exception:
            sys.excepthook(*sys.exc_info())
            return b"", "INTERNAL", unexpected


def _told(body: bytes) -> str:
    """Get the text of the protocol's error; "" if the answer is another protocol's."""
    try:
        document = strict_json.parse(body.decode())
    except ValueError:
        return ""
    told = document.get("error") if isinstance(document, dict) else None
    return told if isinstance(told, str) else ""


def _metadata(response: "Response") -> "list[tuple[str, str]]":
    """List what an answer has beside the message: headers of ours, but for texts that gRPC does not carry."""
    ours = [(name, value) for name, value in response.headers.items() if name.startswith("x-")]
    return [(name, value) for name, value in ours if value.isascii() and value.isprintable()]

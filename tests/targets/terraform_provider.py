"""A stand-in for a Terraform provider: it knows the real one's schemas and makes nothing, the real Terraform does the rest.

Terraform speaks its plugin protocol, version 5, with it by gRPC (github.com/hashicorp/terraform/docs/plugin-protocol), as it does
with a provider under development. What a resource tells of itself once it is there is its type's and attribute's name.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import msgpack

from tests.targets.terraform_schemas import schemas

UNKNOWN = msgpack.ExtType(0, b"\0")
LIST = 2  # how blocks nest


def _varint(number: int) -> bytes:
    more, low = number >> 7, number & 0x7F
    return bytes([low | 0x80]) + _varint(more) if more else bytes([low])


def field(number: int, value: bytes | str | int | bool) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def fields(message: bytes) -> dict[int, bytes]:
    """The fields with a length of a protobuf message, by number."""
    found, place = {}, 0

    def number() -> int:
        nonlocal place
        value, shift = 0, 0
        while True:
            byte = message[place]
            place, value, shift = place + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while place < len(message):
        key = number()
        size = number()
        if key & 7 == 2:
            found[key >> 3] = message[place : place + size]
            place += size
    return found


def _block(block: dict[str, Any]) -> bytes:
    attributes = [
        field(1, name)
        + field(2, json.dumps(one["type"]))
        + (field(4, True) if one.get("required") else b"" if one.get("computed") else field(5, True) + field(6, True))
        + (field(6, True) if one.get("computed") else b"")
        for name, one in sorted(block["attributes"].items())
    ]
    nested = [
        field(1, name) + field(2, _block(one["block"])) + field(3, LIST) + field(4, one["least"]) + field(5, one["most"])
        for name, one in sorted(block["blocks"].items())
    ]
    return b"".join([field(2, one) for one in attributes] + [field(3, one) for one in nested])


class Provider(grpc.GenericRpcHandler):
    """The calls that Terraform makes to validate, plan and apply."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas

    def service(self, details: Any) -> Any:
        """The method of a call's name, where there is one."""
        method = getattr(self, "_" + details.method.rpartition("/")[2], None)
        if method is None or "tfplugin5" not in details.method:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, context: method(fields(request)))

    def _GetSchema(self, request: dict[int, bytes]) -> bytes:
        answer = field(1, field(2, _block(self._schemas["provider"])))
        for number, place in ((2, "resources"), (3, "data")):
            for kind, block in self._schemas[place].items():
                answer += field(number, field(1, kind) + field(2, field(2, _block(block))))
        return answer

    def _PrepareProviderConfig(self, request: dict[int, bytes]) -> bytes:
        return field(1, request[1])

    def _nothing(self, request: dict[int, bytes]) -> bytes:
        return b""

    _ValidateResourceTypeConfig = _ValidateDataSourceConfig = _Configure = _Stop = _nothing

    def _PlanResourceChange(self, request: dict[int, bytes]) -> bytes:
        return field(1, self._told("resources", request[1].decode(), request[3], known=False)) + field(5, True)

    def _ApplyResourceChange(self, request: dict[int, bytes]) -> bytes:
        return field(1, self._told("resources", request[1].decode(), request[3], known=True)) + field(5, True)

    def _ReadDataSource(self, request: dict[int, bytes]) -> bytes:
        return field(1, self._told("data", request[1].decode(), request[2], known=True))

    def _told(self, place: str, kind: str, value: bytes, known: bool) -> bytes:
        """A resource with what is told of it, or the promise of that."""
        state = msgpack.unpackb(fields(value)[1], ext_hook=lambda code, data: UNKNOWN)
        for name, one in self._schemas[place][kind]["attributes"].items():
            if state and one.get("computed") and state[name] in (None, UNKNOWN):
                state[name] = (f"{kind}.{name}" if one["type"] == "string" else None) if known else UNKNOWN
        return field(1, msgpack.packb(state))


@contextlib.contextmanager
def provider(name: str) -> Iterator[dict[str, str]]:
    """The variables that lead Terraform to the stand-in for `hashicorp/NAME`, which is there while the block runs."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Provider(schemas(name)),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    where = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    here = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": where}
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps({f"hashicorp/{name}": here})}
    finally:
        server.stop(None)

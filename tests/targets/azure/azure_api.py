"""As much of Azure's APIs as a deployment by `az` asks: requests come in, what was asked for is kept; nothing is made here.

The real Azure CLI is led here as to a cloud of its own, logged in by the identity that a machine of Azure's would have.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.web import Handler, HttpServer
from tests.targets.azure.azure_tools import az

TENANT, SUBSCRIPTION = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
APP = "flyweight-app"
OUTPUTS = {
    "functionApp": {"type": "String", "value": APP},
    "url": {"type": "String", "value": f"https://{APP}.azurewebsites.net"},
}
# `az functionapp show` gives an app on Flex Consumption as the API does, with its properties below `properties`
SITE = {"state": "Running", "defaultHostName": f"{APP}.azurewebsites.net", "sku": "FlexConsumption", "serverFarmId": "/plan"}


class AzureApi(HttpServer):
    """What was asked, in order: method, path and document."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        super().__init__(_Requests, tls=tls)

    def sent(self, method: str, pattern: str) -> list[Any]:
        """The documents of all requests with such a method and path."""
        return [document for verb, path, document in self.asked if verb == method and re.search(pattern, path, re.IGNORECASE)]

    def answer(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        """Status and document of a reply."""
        self.asked.append((method, path, document))
        kind, name = path.lower().rpartition("/")[0], path.rpartition("/")[2]
        if path == "/subscriptions":
            about = {"subscriptionId": SUBSCRIPTION, "tenantId": TENANT, "displayName": "stand-in", "state": "Enabled"}
            return 200, {"value": [{"id": f"/subscriptions/{SUBSCRIPTION}", **about}]}
        if kind.endswith("/resourcegroups"):
            return (202, None) if method == "DELETE" else (200, {"id": path, "name": name, "location": "westeurope"})
        if kind.endswith("/deployments") or path.endswith("/validate"):
            given = next((one["properties"]["parameters"] for one in reversed(self.sent("PUT", "/deployments/"))), {})
            told = {"provisioningState": "Succeeded", "mode": "Incremental", "outputs": OUTPUTS, "parameters": given}
            return 200, {"id": path, "name": name, "properties": told}
        if path.endswith("/host/default/listkeys"):
            return 200, {"masterKey": "m", "functionKeys": {"default": "a-key"}, "systemKeys": {}}
        if kind.endswith("/sites"):
            return 200, {"id": path, "name": name, "kind": "functionapp,linux", "location": "West Europe", "properties": SITE}
        return 404, {"error": {"code": "NotFound", "message": f"{path} is not there"}}


class _Requests(Handler):
    def _answer(self) -> None:
        path = self.path.partition("?")[0].replace("//", "/")
        sent = self.read_body()
        if path == "/token":
            status, document = 200, _token()
        else:
            api = self.server
            assert isinstance(api, AzureApi)
            status, document = api.answer(self.command, path, _document(sent))
        data = b"" if document is None else json.dumps(document).encode()
        self.reply(status, data, {"content-type": "application/json"})

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer


def _document(sent: bytes) -> Any:
    """The JSON of a body; `az` sends a template as it is written, under a name without quotes."""
    return json.loads(sent.replace(b" template:{", b' "template":{')) if sent else None


def _token() -> dict[str, str]:
    """The answer of the service that gives identities their tokens, https://learn.microsoft.com/azure/app-service/overview-managed-identity."""
    until = int(time.time()) + 9000
    claims = {"tid": TENANT, "oid": "o", "appid": "a", "exp": until, "xms_mirid": "/subscriptions/s/resourcegroups/g/providers/p"}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in ({"alg": "none"}, claims, {})]
    return {"access_token": ".".join(parts), "expires_on": str(until), "resource": "https://management.core.windows.net/"}


def _certificate(place: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    pem, secret = place / "certificate.pem", place / "key.pem"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, secret


@contextlib.contextmanager
def azure_api(place: Path) -> Iterator[tuple[AzureApi, dict[str, str]]]:
    """The stand-in, and the variables that lead `az` to it, logged in; it is there while the block runs."""
    pem, secret = _certificate(place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    with AzureApi(context) as api, AzureApi() as identity:
        yield api, _logged_in(api, identity, place, pem)


def _logged_in(api: AzureApi, identity: AzureApi, place: Path, pem: Path) -> dict[str, str]:
    """Log `az` in at the stand-in, and get the variables that lead it there."""
    here = f"https://localhost:{api.server_port}/"
    environ = {
        "AZURE_CONFIG_DIR": str(place / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{identity.server_port}/token",
        "IDENTITY_HEADER": "of-this-machine",
        "REQUESTS_CA_BUNDLE": str(pem),
        "NO_PROXY": "localhost,127.0.0.1",
    }
    names = ("resource_manager", "active_directory", "management")
    audience = "https://management.core.windows.net/"
    endpoints = {**dict.fromkeys(names, here), "active_directory_resource_id": audience}
    described = json.dumps({"endpoints": endpoints, "suffixes": {}})
    for words in (
        ["cloud", "register", "--name", "standin", "--skip-endpoint-discovery", "--cloud-config", described],
        ["cloud", "set", "--name", "standin"],
        ["login", "--identity"],
    ):
        done = subprocess.run([str(az()), *words], env={**os.environ, **environ}, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    return environ

"""Make obstore's client for each kind of store, from the name of a bucket or a container.

obstore finds credentials in the environment and at the platform's metadata service. The variables that name an emulator are used
(`AWS_ENDPOINT_URL`, `STORAGE_EMULATOR_HOST`, `AZURE_STORAGE_ENDPOINT`); plain http is for this machine only.
"""

import os

from flyweight.settings import variable
from flyweight.stores import is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_files: "dict[str, int]" = {}  # descriptors of files in memory, by their contents


def _s3(bucket: str, options: "Any", retries: "Any") -> "Any":
    from obstore.store import S3Store

    endpoint = variable("AWS_ENDPOINT_URL_S3") or variable("AWS_ENDPOINT_URL")
    config: Any = {"endpoint": endpoint} if endpoint else {}
    if not variable("AWS_REGION") and not variable("AWS_DEFAULT_REGION"):
        config["region"] = "us-east-1"
    token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if token and not variable("AWS_ACCESS_KEY_ID") and not variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        config["container_authorization_token_file"] = _file_of(token)
    options["allow_http"] = is_plain(endpoint)
    return S3Store(bucket, config=config, client_options=options, retry_config=retries)


def _file_of(token: str) -> str:
    """Write a token to a file in memory: SnapStart gives its token for credentials as a variable, obstore reads a file only.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
    """
    if token not in _files:
        _files[token] = os.memfd_create("token")
        os.write(_files[token], token.encode())
    return f"/proc/self/fd/{_files[token]}"


def _gs(bucket: str, options: "Any", retries: "Any") -> "Any":
    from obstore.store import GCSStore

    emulator = variable("STORAGE_EMULATOR_HOST")
    if not emulator:
        return GCSStore(bucket, client_options=options, retry_config=retries)
    endpoint = emulator if "://" in emulator else f"http://{emulator}"
    options["allow_http"] = is_plain(endpoint)
    config: Any = {"base_url": endpoint}
    return GCSStore(bucket, config=config, client_options=options, retry_config=retries, credential_provider=_emulator_token)


def _emulator_token() -> "Any":
    """Make credentials for an emulator; without them the library would look for some before each write."""
    return {"token": "emulator", "expires_at": None}


def _az(container: str, options: "Any", retries: "Any") -> "Any":
    from obstore.store import AzureStore

    endpoint = variable("AZURE_STORAGE_ENDPOINT")
    config: Any = {"endpoint": endpoint} if endpoint else {}
    options["allow_http"] = is_plain(endpoint)
    return AzureStore(container, config=config, client_options=options, retry_config=retries)


MAKERS: "dict[str, Callable[[str, Any, Any], Any]]" = {"s3": _s3, "gs": _gs, "az": _az}

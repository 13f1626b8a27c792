"""Fetch Google's identity tokens."""

from __future__ import annotations

import os
import shutil
import urllib.request
from urllib.parse import quote, urlsplit

from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import AuthorizationMethod, Token
from flyweight.toolkit.targets.commands import command, output

HOSTS = r"\.(run\.app|cloudfunctions\.net)$"


def identity_token(url: str) -> str:
    """Fetch an identity token for a service from gcloud, or from the metadata server on a machine of Google Cloud.

    :raises DeployFailed: neither returns one.
    """
    if shutil.which("gcloud"):
        return output(command("gcloud", "auth", "print-identity-token"))
    parts = urlsplit(url)
    audience = quote(f"{parts.scheme}://{parts.netloc}", safe="")
    return metadata(f"identity?audience={audience}", "identity token")


def metadata(path: str, what: str) -> str:
    """Ask the metadata server of a machine of Google Cloud about the machine's service account.

    :param what: what is asked for, for the error.
    :raises DeployFailed: no such server answers.
    """
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/{path}"
    request = urllib.request.Request(url, headers={"Metadata-Flavor": "Google"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError as error:
        reason = f"no {what}: gcloud is not installed, and no metadata server answers ({error})"
        raise DeployFailed(reason, "install gcloud, then gcloud auth login") from None


METHODS = (AuthorizationMethod("google", lambda credentials: Token(lambda: identity_token(credentials.url)), HOSTS),)

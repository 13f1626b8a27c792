"""Fetch Google's access tokens, which Google's own APIs take."""

from __future__ import annotations

import json
import shutil

from flyweight.toolkit.targets.authorization import AuthorizationMethod, Token
from flyweight.toolkit.targets.commands import command, output
from flyweight.toolkit.targets.gcp.authorization import metadata

HOSTS = r"(^|[.-])aiplatform\.googleapis\.com$|\.prediction\.vertexai\.goog$"  # shared and dedicated endpoints


def access_token() -> str:
    """Fetch an access token from gcloud, or from the metadata server on a machine of Google Cloud.

    :raises DeployFailed: neither returns one.
    """
    if shutil.which("gcloud"):
        return output(command("gcloud", "auth", "print-access-token"))
    return str(json.loads(metadata("token", "access token"))["access_token"])


METHODS = (AuthorizationMethod("google-access", lambda credentials: Token(access_token), HOSTS),)

"""How a call proves who makes it: a request goes in, headers come out.

`chosen` reads the URL's host, where each provider's own domains tell; a domain of one's own needs `--auth`.
"""

from __future__ import annotations

import os
import re
import shutil
import urllib.request
from collections.abc import Callable
from threading import Lock
from time import monotonic
from urllib.parse import quote, urlsplit

from flyweight.toolkit.deploying.commands import Runner, command
from flyweight.toolkit.targets.deployment import DeployFailed

Headers = dict[str, str]
Authorization = Callable[[str, str, bytes], Headers]  # method, URL, body

LIFETIME = 45 * 60.0  # identity tokens hold for an hour
HOSTS = {
    r"\.(execute-api|lambda-url)\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)$": "aws",
    r"\.(run\.app|cloudfunctions\.net)$": "google",
    r"\.azurewebsites\.net$": "azure",
}


def chosen(name: str, url: str, key: str = "", region: str = "", resource: str = "") -> Authorization:
    """The authorization of that name, or by the URL where the name is `auto`.

    :raises DeployFailed: it lacks something, or would be sent for everybody on the way to read.
    """
    name = by_host(url) if name == "auto" else name
    parts = urlsplit(url)
    if name != "none" and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise DeployFailed(f"{url} is not encrypted, and a credential would be sent to it", next_step="use https, or --auth none")
    made: dict[str, Callable[[], Authorization]] = {
        "none": lambda: lambda method, url, body: {},
        "aws": lambda: Signed(url, region),
        "google": lambda: Token(lambda: google_token(url)),
        "azure": lambda: _header("x-functions-key", key, "the function key"),
        "entra": lambda: Token(lambda: entra_token(resource)),
        "api-key": lambda: _header("x-api-key", key, "the API key"),
        "bearer": lambda: _header("authorization", key and f"Bearer {key}", "the token"),
    }
    return made[name]()


NAMES = ("auto", "none", "aws", "google", "azure", "entra", "api-key", "bearer")


def by_host(url: str) -> str:
    """The authorization that the provider of this host asks for; `none` of a host that is nobody's."""
    host = urlsplit(url).hostname or ""
    return next((name for pattern, name in HOSTS.items() if re.search(pattern, host)), "none")


class Signed:
    """AWS Signature Version 4, by botocore, with the credentials that the AWS CLI would use."""

    def __init__(self, url: str, region: str = "") -> None:
        try:
            from botocore.session import get_session
        except ModuleNotFoundError:
            raise DeployFailed("signing needs botocore, which is not here", "pip install 'flyweight[aws]'") from None
        session = get_session()
        self._credentials = session.get_credentials()
        if self._credentials is None:
            raise DeployFailed("there are no AWS credentials here", "aws configure sso && aws sso login, or set AWS_PROFILE")
        host = urlsplit(url).hostname or ""
        told = re.search(r"\.(execute-api|lambda-url)\.([a-z0-9-]+)\.", host)
        self.service = {"lambda-url": "lambda"}.get(told[1], told[1]) if told else "execute-api"
        self.region = region or (told[2] if told else "") or session.get_config_variable("region") or ""
        if not self.region:
            raise DeployFailed(f"the region of {host} is not known", "name it: --region REGION")

    def __call__(self, method: str, url: str, body: bytes) -> Headers:
        """The headers of one request; they hold for some minutes."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, data=body)
        SigV4Auth(self._credentials.get_frozen_credentials(), self.service, self.region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}


class Token:
    """A bearer token, fetched once and again before it ends, however many threads ask."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch, self._lock = fetch, Lock()
        self._token, self._until = "", 0.0

    def __call__(self, method: str, url: str, body: bytes) -> Headers:
        """The header with the token."""
        with self._lock:
            if monotonic() >= self._until:
                self._token, self._until = self._fetch(), monotonic() + LIFETIME
        return {"authorization": f"Bearer {self._token}"}


def google_token(url: str) -> str:
    """An identity token for the service: gcloud's, or the metadata server's on a machine of Google's.

    :raises DeployFailed: neither has one.
    """
    if shutil.which("gcloud"):
        return Runner(_silent).output(command("gcloud", "auth", "print-identity-token"))
    parts = urlsplit(url)
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    audience = quote(f"{parts.scheme}://{parts.netloc}", safe="")
    path = f"/computeMetadata/v1/instance/service-accounts/default/identity?audience={audience}"
    request = urllib.request.Request(f"http://{host}{path}", headers={"Metadata-Flavor": "Google"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError as error:
        said = f"no identity token: gcloud is not installed, and no metadata server answers ({error})"
        raise DeployFailed(said, "install gcloud, then gcloud auth login") from None


def entra_token(resource: str) -> str:
    """An access token for an application of Entra ID, by `az`.

    :raises DeployFailed: no application is named, or `az` is not here.
    """
    if not resource:
        raise DeployFailed("a token of Entra ID is for an application", "name it: --resource api://CLIENT-ID")
    if not shutil.which("az"):
        raise DeployFailed("a token of Entra ID comes from `az`, which is not installed", "install the Azure CLI, then az login")
    words = ["az", "account", "get-access-token", "--resource", resource, "--query", "accessToken", "--output", "tsv"]
    return Runner(_silent).output(command(*words))


def _header(name: str, value: str, what: str) -> Authorization:
    if not value:
        raise DeployFailed(f"the endpoint asks for {what}", "set FLYWEIGHT_KEY to it, or name a file: --key-file FILE")
    return lambda method, url, body: {name: value}


def _silent(line: str) -> None:
    """Say nothing."""

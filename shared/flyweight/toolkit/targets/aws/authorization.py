"""Sign requests with AWS Signature Version 4, using botocore and the credentials of the AWS CLI."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flyweight.toolkit import installation
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import AuthorizationMethod, Headers

HOSTS = r"(^|\.)(execute-api|lambda-url|runtime\.sagemaker)\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)$"
SERVICES = {"lambda-url": "lambda", "runtime.sagemaker": "sagemaker"}  # where a signature names another than the host


class Signed:
    """Signs each request to one endpoint."""

    def __init__(self, url: str, region: str = "") -> None:
        """:raises DeployFailed: botocore, credentials or the region are missing."""
        try:
            from botocore.session import get_session
        except ModuleNotFoundError:
            raise DeployFailed("signing needs botocore, which is not installed", installation.command("aws")) from None
        session = get_session()
        self._credentials = session.get_credentials()
        if self._credentials is None:
            raise DeployFailed("no AWS credentials were found", "aws configure sso && aws sso login, or set AWS_PROFILE")
        host = urlsplit(url).hostname or ""
        parts = re.search(r"(?:^|\.)(execute-api|lambda-url|runtime\.sagemaker)\.([a-z0-9-]+)\.", host)
        self.service = SERVICES.get(parts[1], parts[1]) if parts else "execute-api"
        self.region = region or (parts[2] if parts else "") or session.get_config_variable("region") or ""
        if not self.region:
            raise DeployFailed(f"the region of {host} is unknown", "give it: --region REGION")

    def __call__(self, method: str, url: str, body: bytes) -> Headers:
        """Return the headers of one request; they are valid for some minutes."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, data=body)
        SigV4Auth(self._credentials.get_frozen_credentials(), self.service, self.region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}


METHODS: tuple[AuthorizationMethod, ...] = (
    AuthorizationMethod("aws", lambda credentials: Signed(credentials.url, credentials.region), HOSTS),
)

"""AWS Signature Version 4, from the specification's own four steps: what a request has to be signed with."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

SECRET = "secret-of-the-tests"


def signature(method: str, url: str, body: bytes, when: str, region: str, service: str) -> str:
    """The signature of a request that signs its host and its date."""
    host, path = urlsplit(url).netloc, urlsplit(url).path
    canonical = f"{method}\n{path}\n\nhost:{host}\nx-amz-date:{when}\n\nhost;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{when[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (when[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

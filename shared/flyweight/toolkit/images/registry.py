"""Talk to a container registry: manifests and blobs of one repository.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md has the requests; authentication is in
https://distribution.github.io/distribution/spec/auth/token/ and oauth/.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from flyweight import __version__
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.images import media_types
from flyweight.toolkit.images.credentials import Credentials
from flyweight.toolkit.images.layout import DIGEST, LARGEST_DOCUMENT, Descriptor
from flyweight.toolkit.images.reference import Reference, is_loopback

ACCEPTED = (*media_types.INDEXES, *media_types.MANIFESTS)
OK, CREATED, ACCEPTED_STATUS, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 201, 202, 401, 403, 404
AGAIN = frozenset((408, 429, 500, 502, 503, 504))
TRIES, WAIT = 4, 0.5  # of an upload; the wait in seconds doubles
CLIENT = "flyweight"

Body = bytes | Callable[[], IO[bytes]]  # a function opens a body anew for each try


class RegistryRefused(ToolkitError):
    """A registry that does not answer, or that refuses a request."""


class Registry:
    """The client of one repository. `writes`: whether it pushes, which the registry is asked to allow."""

    def __init__(self, reference: Reference, credentials: Credentials, writes: bool = False) -> None:
        self.reference = reference
        self._credentials, self._authorization = credentials, ""
        self._scope = f"repository:{reference.name}:{'pull,push' if writes else 'pull'}"
        retry = urllib3.Retry(total=3, status=3, status_forcelist=AGAIN, backoff_factor=WAIT, raise_on_status=False)
        timeout = urllib3.Timeout(connect=10.0, read=300.0)
        self._pool = urllib3.PoolManager(retries=retry, timeout=timeout, headers={"User-Agent": f"flyweight/{__version__}"})

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def manifest(self, label: str) -> tuple[Descriptor, bytes] | None:
        """Fetch a manifest or an index by its tag or digest; None if the registry has neither.

        :raises RegistryRefused: it has another digest than the one that was asked for.
        """
        answer = self._ask("GET", f"manifests/{label}", headers={"Accept": ", ".join(ACCEPTED)}, right=(OK, NOT_FOUND))
        data = answer.read(LARGEST_DOCUMENT + 1)
        answer.drain_conn()
        if answer.status == NOT_FOUND:
            return None
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if len(data) > LARGEST_DOCUMENT or (DIGEST.fullmatch(label) and digest != label):
            step = "push the image again, or ask who runs the registry"
            raise RegistryRefused(f"{self.reference.at(label)} has other bytes than its digest says", step)
        kind = str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()
        return {"mediaType": kind, "digest": digest, "size": len(data)}, data

    def put_manifest(self, label: str, kind: str, data: bytes) -> Mapping[str, str]:
        """Push a manifest or an index under a tag or its digest, and return the headers of the answer."""
        answer = self._ask("PUT", f"manifests/{label}", data, {"Content-Type": kind}, right=(CREATED, OK))
        answer.drain_conn()
        return answer.headers

    def has_blob(self, digest: str) -> bool:
        """Tell whether the repository has a blob."""
        answer = self._ask("HEAD", f"blobs/{digest}", right=(OK, NOT_FOUND))
        answer.drain_conn()
        return answer.status == OK

    def blob(self, descriptor: Descriptor) -> IO[bytes]:
        """Open a blob to read it in pieces; `layout.Checked` checks it."""
        answer: Any = self._ask("GET", f"blobs/{descriptor['digest']}", right=(OK,))
        stream: IO[bytes] = answer
        return stream

    def upload(self, descriptor: Descriptor, opens: Callable[[], IO[bytes]]) -> None:
        """Upload a blob in pieces, so that it is never in memory; after a broken connection begin anew.

        :param opens: opens the blob.
        """
        size = {"Content-Length": str(descriptor["size"]), "Content-Type": "application/octet-stream"}
        for attempt in range(TRIES):
            try:
                place = self._location(self._ask("POST", "blobs/uploads/", b"", right=(ACCEPTED_STATUS,)))
                place = self._location(self._ask("PATCH", place, opens, size, right=(ACCEPTED_STATUS,), retries=False))
                closing = f"{place}{'&' if urlsplit(place).query else '?'}{urlencode({'digest': descriptor['digest']})}"
                self._ask("PUT", closing, b"", right=(CREATED,), retries=False).drain_conn()
                return
            except RegistryRefused as error:
                if attempt == TRIES - 1 or not isinstance(error, _Passing):
                    raise
                time.sleep(WAIT * 2**attempt)

    def _location(self, answer: urllib3.BaseHTTPResponse) -> str:
        """Return where an upload goes on."""
        answer.drain_conn()
        return self._safe(urljoin(f"{self.reference.url}/", answer.headers.get("Location", "")))

    def _safe(self, url: str) -> str:
        """Check an address that the registry gave.

        :raises RegistryRefused: it would send what is secret over an open connection.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.netloc)):
            step = "use a registry with TLS; plain HTTP is for a registry on this machine alone"
            raise RegistryRefused(f"{self.reference.registry} sends this to {url[:200]}, which is not https", step)
        return url

    def _ask(
        self, method: str, path: str, body: Body | None = None, headers: Mapping[str, str] = {}, *, right: tuple[int, ...],
        retries: bool = True,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """Send a request, with credentials once the registry has asked for them.

        :param path: below the repository, or a whole address.
        :raises RegistryRefused: the registry does not answer, or answers another status than those which are right.
        """
        url = path if "://" in path else f"{self.reference.url}/v2/{self.reference.name}/{path}"
        own = urlsplit(url).netloc == urlsplit(self.reference.url).netloc
        for again in (True, False):
            sent = {**headers, **({"Authorization": self._authorization} if own and self._authorization else {})}
            answer = self._send(method, url, body, sent, retries)
            if answer.status == UNAUTHORIZED and own and again:
                answer.drain_conn()
                self._authenticate(answer.headers.get("WWW-Authenticate", ""))
                continue
            if answer.status in right:
                return answer
            break
        raise self._refusal(method, url, answer)

    def _send(
        self, method: str, url: str, body: Body | None, headers: Mapping[str, str], retries: bool
    ) -> urllib3.BaseHTTPResponse:
        """Send one request.

        :raises RegistryRefused: there is no answer.
        """
        content = body() if callable(body) else body
        fields = dict(self._pool.headers) | dict(headers)
        options: dict[str, Any] = {} if retries else {"retries": False}
        try:
            return self._pool.request(method, url, body=content, headers=fields, preload_content=False, **options)
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            step = "check the name of the registry, and that this machine can reach it"
            raise _Passing(f"{self.reference.registry} does not answer: {reason}", step) from None
        finally:
            if callable(body) and content is not None:
                content.close()  # type: ignore[union-attr]  # a stream, as it was opened here

    def _authenticate(self, challenge: str) -> None:
        """Get what the registry asks for in `WWW-Authenticate`.

        :raises RegistryRefused: it asks for what is not known here, or refuses the credentials.
        """
        scheme, _, rest = challenge.partition(" ")
        asked = dict(re.findall(r'([a-z]+)="([^"]*)"', rest))
        basic = urllib3.util.make_headers(basic_auth=f"{self._credentials.user}:{self._credentials.password}")["authorization"]
        if scheme.lower() == "basic" and self._credentials.user:
            self._authorization = basic
        elif scheme.lower() == "bearer" and "realm" in asked:
            self._authorization = f"Bearer {self._token(asked, basic)}"
        else:
            raise RegistryRefused(f"{self.reference.registry} asks for credentials ({scheme or 'no scheme'})", self._log_in)

    def _token(self, asked: dict[str, str], basic: str) -> str:
        """Get a token from the address that the registry names."""
        realm = self._safe(asked["realm"])
        fields = {name: asked[name] for name in ("service",) if name in asked} | {"scope": self._scope}
        if self._credentials.identity_token:
            token = self._credentials.identity_token
            form = {**fields, "grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token}
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._send("POST", realm, urlencode(form).encode(), kind, True)
        else:
            address = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(fields)}"
            answer = self._send("GET", address, None, {"Authorization": basic} if self._credentials.user else {}, True)
        if answer.status != OK:
            raise self._refusal("GET", realm, answer)
        try:
            document = json.loads(answer.read(LARGEST_DOCUMENT))
            return str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError, TypeError):
            raise RegistryRefused(f"{realm} gives no token", self._log_in) from None

    @property
    def _log_in(self) -> str:
        return f"give --user and --password-command, or docker login {self.reference.registry}"

    def _refusal(self, method: str, url: str, answer: urllib3.BaseHTTPResponse) -> RegistryRefused:
        """Describe an answer that is not right."""
        text = answer.read(LARGEST_DOCUMENT).decode(errors="replace")
        try:
            said = "; ".join(f"{one.get('code', '')} {one.get('message', '')}".strip() for one in json.loads(text)["errors"])
        except (ValueError, KeyError, TypeError, AttributeError):
            said = text.strip()[:200]
        message = f"{self.reference.registry} answers {answer.status} to {method} {urlsplit(url).path}: {said or answer.reason}"
        if answer.status in AGAIN:
            return _Passing(message, "try again later")
        denied = answer.status in (UNAUTHORIZED, FORBIDDEN)
        return RegistryRefused(message, self._log_in if denied else "check the image's name, and your rights to it")


class _Passing(RegistryRefused):
    """A failure that may be over at the next try."""

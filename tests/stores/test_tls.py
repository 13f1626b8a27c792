"""Our own client of S3 talks to the right server only: by its certificate, over TLS, and following no redirect."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import StoreFailed
from flyweight.stores import Timeouts, open_store, tls
from tests.services.certificates import Authority
from tests.services.fixtures import PATIENT
from tests.services.web import Handler, HttpServer

Serve = Callable[..., None]


class Objects(Handler):
    """Answers each GET with the same object."""

    def do_GET(self) -> None:
        self.reply(200, b"model", {"etag": '"1"'})


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, and no context that another test has made."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr(tls, "_contexts", {})


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """What starts a server with a certificate, and leads the environment there."""
    with ExitStack() as stack:

        def started(pem: Path, handler: type[Handler] = Objects, version: Any = None) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            if version:
                context.maximum_version = version
            server = stack.enter_context(HttpServer(handler, tls=context))
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{server.server_port}")

        yield started


def trust(monkeypatch: pytest.MonkeyPatch, path: Path, *authorities: Authority) -> None:
    path.write_bytes(b"".join(authority.pem for authority in authorities))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def got(timeouts: Timeouts = PATIENT) -> bytes:
    return open_store("s3://bucket", timeouts).get("m", 9)[0]


@pytest.mark.parametrize("names", [["tests"], ["Amazon"], ["Amazon", "tests"], ["Starfield", "Amazon", "tests"]])
def test_a_server_is_trusted_whose_certificate_any_authority_of_the_system_issued(
    names: list[str], serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities = [Authority(name) for name in names]
    serve(authorities[-1].issue(tmp_path / "own.pem", "localhost"))
    trust(monkeypatch, tmp_path / "trusted.pem", *authorities)
    assert got() == b"model"


def test_of_a_file_the_authorities_of_the_cloud_are_read_first(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon, other = Authority("Amazon Root"), Authority("Another")
    serve(amazon.issue(tmp_path / "own.pem", "localhost"))
    trust(monkeypatch, tmp_path / "trusted.pem", amazon, other)
    assert got() == b"model"
    assert [*tls._contexts] == [tls.FEW] and tls._contexts[tls.FEW].cert_store_stats()["x509"] == 1
    serve(other.issue(tmp_path / "other.pem", "localhost"))
    assert got() == b"model"
    assert [*tls._contexts] == [tls.ALL] and tls._contexts[tls.ALL].cert_store_stats()["x509"] >= 2


def test_a_folder_of_authorities_is_read_by_their_hashes(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, folder = Authority(), tmp_path / "authorities"
    folder.mkdir()
    (folder / f"{authority.subject_hash}.0").write_bytes(authority.pem)
    serve(authority.issue(tmp_path / "own.pem", "localhost"))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert got() == b"model"
    assert [*tls._contexts] == [tls.FEW]


@pytest.mark.parametrize("fault", ["another host", "expired", "of an unknown authority", "of an unknown Amazon", "self-signed"])
def test_a_certificate_that_proves_nothing_is_refused(
    fault: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, stranger = Authority("Amazon Root"), Authority("Amazon Root" if "Amazon" in fault else "stranger")
    path = tmp_path / "own.pem"
    if fault == "another host":
        trusted.issue(path, "127.0.0.1", "example.com")
    elif fault == "expired":
        trusted.issue(path, "localhost", days=-1)
    else:
        stranger.issue(path, "localhost", own=fault == "self-signed")
    serve(path)
    trust(monkeypatch, tmp_path / "trusted.pem", trusted)
    with pytest.raises(StoreFailed, match="localhost has no certificate that this system trusts for that name") as raised:
        got()
    assert not raised.value.transient and raised.value.__suppress_context__


def test_old_versions_of_tls_are_refused(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    trust(monkeypatch, tmp_path / "trusted.pem", authority)
    for version, good in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_1, False)):
        with pytest.warns(DeprecationWarning) if not good else ExitStack():
            serve(authority.issue(tmp_path / "own.pem", "localhost"), version=version)
        if good:
            assert got() == b"model"
        else:
            with pytest.raises(StoreFailed):
                got(Timeouts(connect=20.0, seconds=20.0, retries=0))


def test_plain_text_instead_of_tls_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpServer(Objects) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{server.server_port}")
        with pytest.raises(StoreFailed, match="can't be reached"):
            got(Timeouts(connect=20.0, seconds=20.0, retries=0))


def test_a_redirect_is_not_followed(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, asked = Authority(), []

    class Elsewhere(Handler):
        """Redirects."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.reply(301, b"", {"location": "https://localhost:1/", "x-amz-bucket-region": "eu-west-3"})

    serve(authority.issue(tmp_path / "own.pem", "localhost"), Elsewhere)
    trust(monkeypatch, tmp_path / "trusted.pem", authority)
    with pytest.raises(StoreFailed, match="answers 301: the bucket is in the region eu-west-3"):
        got()
    assert asked == ["/bucket/m"]

"""Images go to a real registry and come back with the same digest; crane takes them; credentials go where they belong only."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner, Result

from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from flyweight.toolkit.images import ImageRefused, credentials, transfer
from flyweight.toolkit.images.credentials import Credentials, CredentialsRefused
from flyweight.toolkit.images.reference import parse
from flyweight.toolkit.images.registry import Registry, RegistryRefused
from tests.conftest import ROOT, TOOLS
from tests.services.web import free_port
from tests.toolkit.images import bases

CRANE, COSIGN = (ROOT / TOOLS[name] for name in ("registry", "cosign"))
SAMPLE = ("amd64", "arm64")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """go-containerregistry's own registry: its address, and its log of requests."""
    address, log = f"127.0.0.1:{free_port()}", tmp_path_factory.mktemp("registry") / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen([CRANE, "registry", "serve", "--address", address], stdout=file, stderr=file)
    try:
        deadline = monotonic() + 60
        while monotonic() < deadline:
            try:
                urllib3.request("GET", f"http://{address}/v2/", retries=False)
                break
            except urllib3.exceptions.HTTPError:
                sleep(0.05)
        yield address, log
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def layout(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of two platforms."""
    place = tmp_path_factory.mktemp("images")
    base = bases.joined(place / "base", *(bases.slim(place / arch, arch) for arch in SAMPLE))
    built = build("docker", penguins, place / "out", python="3.13", form="oci", base=str(base), with_bytecode=False)
    assert built.image is not None
    return built.image.layout


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No credentials of whoever runs the tests."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def verb(*words: object) -> Result:
    return CliRunner().invoke(main, ["image", *map(str, words)])


def document(*words: object) -> dict[str, Any]:
    told = verb(*words, "--json")
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def crane(*words: str) -> str:
    done = subprocess.run([CRANE, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.needs("registry")
def test_what_is_pushed_comes_back_and_is_valid_to_crane(server: tuple[str, Path], layout: Path, tmp_path: Path) -> None:
    name = f"{server[0]}/penguins:1.0.0"
    pushed = verb("push", layout, name)
    digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    assert pushed.exit_code == 0 and pushed.stdout == f"{server[0]}/penguins@{digest}\n"
    assert crane("digest", name).strip() == digest and "PASS" in crane("validate", "--remote", name)
    assert [one["platform"]["architecture"] for one in json.loads(crane("manifest", name))["manifests"]] == [*SAMPLE]
    pulled = document("pull", name, tmp_path / "pulled")
    assert pulled["digest"] == digest
    blobs = {path.name for path in (tmp_path / "pulled" / "blobs" / "sha256").iterdir()}
    assert blobs <= {path.name for path in (layout / "blobs" / "sha256").iterdir()}
    crane("pull", "--format=oci", name, str(tmp_path / "by crane"))
    again = document("push", tmp_path / "pulled", f"{server[0]}/again:2")
    assert again["image"] == f"{server[0]}/again@{digest}"


@pytest.mark.needs("registry")
def test_the_list_of_parts_is_found_beside_the_image(server: tuple[str, Path], layout: Path) -> None:
    digest = document("push", layout, f"{server[0]}/parts:1")["digest"]
    listed = json.loads(crane("manifest", f"{server[0]}/parts:{digest.replace(':', '-')}"))["manifests"]
    assert [one["artifactType"] for one in listed] == ["application/vnd.cyclonedx+json"]
    artifact = json.loads(crane("manifest", f"{server[0]}/parts@{listed[0]['digest']}"))
    assert artifact["subject"]["digest"] == digest
    parts = crane("blob", f"{server[0]}/parts@{artifact['layers'][0]['digest']}")
    assert json.loads(parts)["bomFormat"] == "CycloneDX"


@pytest.mark.needs("registry")
def test_what_the_registry_has_is_not_sent_again(server: tuple[str, Path], layout: Path) -> None:
    document("push", layout, f"{server[0]}/twice:1")
    before = server[1].read_text().count("PATCH")
    document("push", layout, f"{server[0]}/twice:2")
    assert server[1].read_text().count("PATCH") == before > 0


@pytest.mark.needs("registry")
def test_one_platform_is_pulled_alone(server: tuple[str, Path], layout: Path, tmp_path: Path) -> None:
    name = f"{server[0]}/platforms:1"
    document("push", layout, name)
    document("pull", name, tmp_path / "one", "--platform", "linux/arm64")
    index = json.loads((tmp_path / "one" / "index.json").read_bytes())["manifests"][0]
    listed = json.loads(bases.blob(tmp_path / "one", index["digest"]).read_bytes())["manifests"]
    assert [one["platform"]["architecture"] for one in listed] == ["arm64"]
    refused = verb("pull", name, tmp_path / "none", "--platform", "linux/s390x")
    assert refused.exit_code == 1 and "it has linux/amd64, linux/arm64" in refused.stderr
    assert not (tmp_path / "none").exists() and [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.needs("registry")
def test_what_a_registry_has_not_is_told(server: tuple[str, Path], tmp_path: Path) -> None:
    missing = verb("pull", f"{server[0]}/nothing:1", tmp_path / "out")
    assert missing.exit_code == 1 and "nothing:1 does not exist" in missing.stderr and not (tmp_path / "out").exists()


@pytest.mark.needs("registry")
def test_an_image_is_signed_and_verified_by_its_digest(server: tuple[str, Path], layout: Path, tmp_path: Path) -> None:
    name, digest = f"{server[0]}/signed:1", document("push", layout, f"{server[0]}/signed:1")["digest"]
    for key in ("first.pem", "second.pem", "third.pem"):
        assert verb("sign", "--new-key", tmp_path / key).exit_code == 0
    assert (tmp_path / "first.pem").stat().st_mode & 0o777 == 0o600
    for key in ("first.pem", "second.pem"):
        assert document("sign", name, "--key", tmp_path / key)["image"] == f"{server[0]}/signed@{digest}"
    for key in ("first.pem.pub", "second.pem.pub"):
        assert document("verify", name, "--key", tmp_path / key)["signed_as"] == [f"{server[0]}/signed"]
    refused = verb("verify", name, "--key", tmp_path / "third.pem.pub")
    assert refused.exit_code == 1 and "no signature of" in refused.stderr
    document("push", bases.slim(tmp_path / "other"), name)  # the tag moves
    assert verb("verify", name, "--key", tmp_path / "first.pem.pub").exit_code == 1
    assert verb("verify", f"{server[0]}/signed@{digest}", "--key", tmp_path / "first.pem.pub").exit_code == 0


@pytest.mark.needs("registry")
def test_a_signature_of_another_image_is_none_of_this_one(server: tuple[str, Path], layout: Path, tmp_path: Path) -> None:
    """Somebody who may push copies a signature to the tag of another digest."""
    verb("sign", "--new-key", tmp_path / "k.pem")
    good = document("push", layout, f"{server[0]}/copied:good")["digest"]
    bad = document("push", bases.slim(tmp_path / "bad"), f"{server[0]}/copied:bad")["digest"]
    document("sign", f"{server[0]}/copied:good", "--key", tmp_path / "k.pem")
    tags = [f"{server[0]}/copied:{digest.replace(':', '-')}.sig" for digest in (good, bad)]
    crane("copy", *tags)
    refused = verb("verify", f"{server[0]}/copied:bad", "--key", tmp_path / "k.pem.pub")
    assert refused.exit_code == 1 and "no signature of" in refused.stderr


@pytest.mark.needs("registry", "cosign")
def test_cosign_takes_our_signature_and_we_take_its(
    server: tuple[str, Path], layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where cosign keeps what it has fetched
    monkeypatch.setenv("COSIGN_PASSWORD", "of the tests")

    def cosign(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COSIGN, *words], capture_output=True, text=True, cwd=tmp_path, timeout=120, stdin=subprocess.DEVNULL
        )

    image = document("push", layout, f"{server[0]}/both:1")["image"]
    verb("sign", "--new-key", tmp_path / "ours.pem")
    document("sign", image, "--key", tmp_path / "ours.pem")
    check = ["verify", "--insecure-ignore-tlog=true", image, "--key"]
    taken = cosign(*check, "ours.pem.pub")
    assert taken.returncode == 0, taken.stderr
    assert cosign("generate-key-pair", "--output-key-prefix", "its").returncode == 0
    assert cosign(*check, "its.pub").returncode != 0
    way = ["--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false", "--yes"]
    signed = cosign("sign", "--key", "its.key", *way, image)
    assert signed.returncode == 0, signed.stderr
    for key in ("its.pub", "ours.pem.pub"):
        assert document("verify", image, "--key", tmp_path / key)["image"] == image
    refused = verb("sign", image, "--key", tmp_path / "its.key")
    assert refused.exit_code == 1 and "encrypted with a password" in refused.stderr


class Guarded(BaseHTTPRequestHandler):
    """A registry that wants a token, and one that wants a password; it notes what it is asked."""

    seen: list[tuple[str, str]]
    realm: str
    scheme = "Bearer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.seen.append((self.path, given))
        if self.path.startswith("/token"):
            return self.reply(200, {"token": f"for {base64.b64decode(given.partition(' ')[2]).decode()}"})
        if not given or (self.scheme == "Bearer" and not given.startswith("Bearer")):
            ask = f'{self.scheme} realm="{self.realm}",service="here"'
            return self.reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}, {"WWW-Authenticate": ask})
        return self.reply(404, {"errors": []})

    def reply(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def guarded() -> Iterator[type[Guarded]]:
    """A registry that asks for credentials; its class says how, and has what it was asked."""
    kind = type("Here", (Guarded,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.address = f"127.0.0.1:{server.server_port}"
    kind.realm = f"http://{kind.address}/token"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def ask(kind: Any, given: Credentials) -> None:
    registry = Registry(parse(f"{kind.address}/name/of:it"), given)
    try:
        assert registry.manifest("it") is None
    finally:
        registry.close()


def test_a_token_is_fetched_with_the_password_and_for_this_repository_alone(guarded: Any) -> None:
    ask(guarded, Credentials("me", "secret"))
    token = next((path, given) for path, given in guarded.seen if path.startswith("/token"))
    assert token[0] == "/token?service=here&scope=repository%3Aname%2Fof%3Apull"
    assert base64.b64decode(token[1].removeprefix("Basic ")) == b"me:secret"
    assert guarded.seen[-1][1] == "Bearer for me:secret"


def test_a_password_is_sent_where_a_registry_asks_for_it(guarded: Any) -> None:
    guarded.scheme = "Basic"
    ask(guarded, Credentials("me", "secret"))
    assert [given[:5] for _, given in guarded.seen] == ["", "Basic"]


def test_a_password_is_not_sent_in_the_open(guarded: Any) -> None:
    guarded.realm = "http://elsewhere.example/token"
    with pytest.raises(RegistryRefused, match="which is not https"):
        ask(guarded, Credentials("me", "secret"))
    assert all(not given for _, given in guarded.seen)


def test_who_gives_no_password_is_told_how(guarded: Any) -> None:
    guarded.scheme = "Basic"
    with pytest.raises(RegistryRefused, match="asks for credentials") as refused:
        ask(guarded, Credentials())
    assert "--password-command" in refused.value.next_step


def test_a_registry_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyweight.toolkit.images.registry.WAIT", 0)
    registry = Registry(parse(f"127.0.0.1:{free_port()}/a:b"), Credentials())
    with pytest.raises(RegistryRefused, match="does not answer"):
        transfer.pull(registry, tmp_path / "out")
    registry.close()


def test_credentials_are_found_where_docker_keeps_them(nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(b"me:se:cret").decode()
    nobody.write_text(json.dumps({"auths": {"a.example": {"auth": auth}, "https://index.docker.io/v1/": {"auth": auth}}}))
    assert credentials.find("a.example") == credentials.find("docker.io") == Credentials("me", "se:cret")
    assert credentials.find("b.example") == Credentials()
    helper = tmp_path / "docker-credential-mine"
    helper.write_text(
        '#!/bin/sh\nread -r server\n[ "$server" = c.example ] || { echo "credentials not found in native keychain"; exit 1; }\n'
        'echo \'{"Username": "<token>", "Secret": "identity"}\'\n'
    )
    helper.chmod(0o755)
    nobody.write_text(json.dumps({"credHelpers": {"c.example": "mine", "d.example": "mine", "e.example": "absent"}}))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert credentials.find("c.example") == Credentials(identity_token="identity")
    assert credentials.find("d.example") == Credentials()
    with pytest.raises(CredentialsRefused, match="docker-credential-absent, which is not on PATH"):
        credentials.find("e.example")


def test_a_command_prints_the_password(nobody: Path) -> None:
    assert credentials.find("a.example", "AWS", "printf 'of the day\\n'") == Credentials("AWS", "of the day")
    for user, command, said in (
        ("AWS", "", "a user needs a password"),
        ("AWS", "false", "gives no credentials"),
        ("AWS", "no-such-program", "can't be run"),
    ):
        with pytest.raises(CredentialsRefused, match=said):
            credentials.find("a.example", user, command)


@pytest.mark.parametrize(
    ("text", "registry", "name", "label", "url"),
    [
        ("python:3.13-slim", "docker.io", "library/python", "3.13-slim", "https://registry-1.docker.io"),
        ("me/tool", "docker.io", "me/tool", "latest", "https://registry-1.docker.io"),
        ("gcr.io/distroless/python3", "gcr.io", "distroless/python3", "latest", "https://gcr.io"),
        ("localhost:5000/a/b:c", "localhost:5000", "a/b", "c", "http://localhost:5000"),
        ("[::1]:5000/a", "[::1]:5000", "a", "latest", "http://[::1]:5000"),
        ("localhost.example/a", "localhost.example", "a", "latest", "https://localhost.example"),
        ("127.0.0.1.example:1/a", "127.0.0.1.example:1", "a", "latest", "https://127.0.0.1.example:1"),
        (f"r.example/a:b@sha256:{'0' * 64}", "r.example", "a", f"sha256:{'0' * 64}", "https://r.example"),
    ],
)
def test_a_name_of_an_image_is_read_as_docker_reads_it(text: str, registry: str, name: str, label: str, url: str) -> None:
    found = parse(text)
    assert (found.registry, found.name, found.label, found.url) == (registry, name, label, url)


@pytest.mark.parametrize(
    "text",
    ["", "Upper/case", "a.example/../b", "a.example/a:", "a.example/a@sha256:12", "a b", "a.example/a@", "u:p@h.example/a"],
)
def test_what_is_no_name_of_an_image_is_refused(text: str) -> None:
    with pytest.raises(ImageRefused, match="is no name of an image"):
        parse(text)

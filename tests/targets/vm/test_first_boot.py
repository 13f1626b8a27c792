"""What a machine on EC2 asks S3 for at its first boot is signed as S3 expects: curl's own signature, compared with botocore's."""

from __future__ import annotations

import http.server
import re
import subprocess
from pathlib import Path
from threading import Thread

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.targets.vm.test_infra_machines import script

KEYS = ("AKID", "SECRET/+x", "TOKEN==")
GIVEN = """of() { case $1 in AccessKeyId) echo %s ;; SecretAccessKey) echo %s ;; Token) echo %s ;; esac; }
name=penguins release=abc archive="$PWD/archive"
"""


def asks_s3() -> str:
    """The command of the first boot that fetches the release."""
    lines = script("aws")
    start = next(number for number, line in enumerate(lines) if "--aws-sigv4" in line)
    end = next(number for number, line in enumerate(lines) if number >= start and not line.endswith("\\"))
    return "\n".join(lines[start : end + 1])


@pytest.mark.needs("curl")
def test_s3_would_let_the_machine_in(tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    class Store(http.server.BaseHTTPRequestHandler):
        """Answers what it is asked for, and keeps how."""

        def do_GET(self) -> None:
            """Answer a release."""
            seen.update({name.lower(): value for name, value in self.headers.items()}, path=self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a release")

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Store) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / ".curlrc").write_text(f'connect-to = "::127.0.0.1:{server.server_port}"\n')
        text = GIVEN % KEYS + asks_s3().replace("https://", "http://")
        environ = {"CURL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["sh", "-eu", "-c", text], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "archive").read_bytes() == b"a release" and seen["path"] == "/VALUE/penguins/abc.zip"
    (names,) = re.findall(r"SignedHeaders=([^,]+)", seen["authorization"])
    assert {"host", "x-amz-date", "x-amz-security-token"} <= {*names.split(";")}
    headers = "".join(f"{name}:{seen[name]}\n" for name in names.split(";"))
    signer, request = S3SigV4Auth(Credentials(*KEYS), "s3", "VALUE"), AWSRequest("GET", "https://s3.example")
    request.context["timestamp"] = seen["x-amz-date"]
    canonical = "\n".join(["GET", seen["path"], "", headers, names, "UNSIGNED-PAYLOAD"])
    assert signer.signature(signer.string_to_sign(request, canonical), request) in seen["authorization"]

"""The real wrangler of `.ci/install-wrangler`, with a home of its own and without anybody's login."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / ".tools" / "wrangler" / "node_modules" / "wrangler" / "bin" / "wrangler.js"


def put_on_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `wrangler` be found first, and have no login."""
    home = place / "home of wrangler"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "wrangler").write_text(f'#!/bin/sh\nexec node "{SCRIPT}" "$@"\n')
    (home / "bin" / "wrangler").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    quiet = {"CI": "1", "HOME": str(home), "XDG_CONFIG_HOME": str(home), "WRANGLER_SEND_METRICS": "false"}
    for name, value in quiet.items():
        monkeypatch.setenv(name, value)
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"):
        monkeypatch.delenv(name, raising=False)


def complaints(lines: list[str], place: Path) -> list[str]:
    """The lines whose options wrangler does not take: it reads them before it misses a login, for which it then asks."""
    found = []
    for line in lines:
        done = subprocess.run(["sh", "-c", line], cwd=place, capture_output=True, text=True, timeout=300)
        said = done.stderr + done.stdout
        if "CLOUDFLARE_API_TOKEN" not in said and "Not logged in" not in said:
            found.append(line)
    return found

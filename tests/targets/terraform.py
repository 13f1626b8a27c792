"""The real Terraform, with a provider that lies in a folder of this machine: its registry is never asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Where a mirror of providers lies, by name (FLYWEIGHT_TERRAFORM_PLUGINS) or where administrators put one.
PLACES = ("/opt/*", "/usr/share/terraform/*", "/usr/local/share/terraform/*")


def plugins(provider: str) -> Path:
    """The folder to give to `terraform init -plugin-dir`; skips a test where Terraform or the provider is not on the machine."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    named = os.environ.get("FLYWEIGHT_TERRAFORM_PLUGINS")
    folders = [Path(named)] if named else [path for place in PLACES for path in sorted(Path("/").glob(place.lstrip("/")))]
    for folder in folders:
        if any(folder.glob(f"*/hashicorp/{provider}")):  # below the name of the registry that it is a mirror of
            return folder
    pytest.skip(f"Terraform's provider hashicorp/{provider} is not here; FLYWEIGHT_TERRAFORM_PLUGINS may name its folder")


def terraform(*arguments: str, cwd: Path, fails: bool = False, **environ: str) -> str:
    """Run `terraform` without anybody's configuration; what it printed. A failure fails the test, unless one is expected."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    everything = {**kept, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "AWS_EC2_METADATA_DISABLED": "true", **environ}
    done = subprocess.run(["terraform", *arguments], cwd=cwd, env=everything, capture_output=True, text=True, timeout=300)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr

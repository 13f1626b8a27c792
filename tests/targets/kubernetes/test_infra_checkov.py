"""checkov's rules for Kubernetes: what it finds is what was decided, and no reason outlives its finding."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.needs("kubernetes", "checkov")
BY_DIGEST = "the overlay of a deployment names the image by its digest, which never means another image"
ACCEPTED = {
    "CKV_K8S_11": "a limit of CPU slows a pod down on an idle node; the autoscaler looks at what is requested",
    "CKV_K8S_14": BY_DIGEST,
    "CKV_K8S_15": BY_DIGEST,
    "CKV_K8S_21": "the namespace is chosen by who deploys",
    "CKV_K8S_43": BY_DIGEST,
}


def test_what_is_found_is_what_was_decided(made: dict[str, str], tmp_path: Path) -> None:
    for number, text in enumerate(made.values()):
        (tmp_path / f"{number}.yaml").write_text(text)
    command = [str(ROOT / ".tools/checkov/bin/checkov"), "--directory", str(tmp_path), "--framework", "kubernetes"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*command, "--output", "json", "--skip-download"], env=environ, capture_output=True, text=True, timeout=300
    )
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 300
    assert {check["check_id"] for check in report["results"]["failed_checks"]} == {*ACCEPTED}

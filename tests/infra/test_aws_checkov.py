"""checkov on the template and on the module: what it has to say is what was decided, each with its reason."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.infra.handler import ROOT

CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"
KMS = "encrypted with the service's own key; a key of the customer's own has a price, and its policy is the customer's to write"
ACCEPTED = {
    "CKV_AWS_18": "access logs of buckets need a bucket of the account's for them",
    "CKV_AWS_27": KMS,
    "CKV_AWS_95": "the function logs a line for each request",
    "CKV_AWS_116": "the queues have a dead-letter queue; what is invoked without waiting is a schedule, which comes again",
    "CKV_AWS_117": "the function needs nothing in a private network, and would lose S3 without endpoints in it",
    "CKV_AWS_119": KMS,
    "CKV_AWS_144": "a model is pushed anew, and a file scored anew, in another region",
    "CKV_AWS_145": KMS,
    "CKV_AWS_158": KMS,
    "CKV_AWS_173": "the variables hold addresses and no secret",
    "CKV_AWS_272": "models are signed (docs/registry.md); a signer of code is the account's",
    "CKV_AWS_338": "how long logs are kept is a variable",
    "CKV2_AWS_4": "the function logs a line for each request",
    "CKV2_AWS_29": "a firewall has a price; rates are limited",
    "CKV2_AWS_51": "callers are known by a key",
    "CKV2_AWS_53": "the function checks each request by the model's signature, more closely than API Gateway could",
    "CKV2_AWS_62": "the bucket of files has them, that of models needs none",
}


@pytest.mark.parametrize(
    ("folder", "framework"), [("infra/aws", "cloudformation"), ("infra/terraform/aws", "terraform")], ids=["sam", "terraform"]
)
def test_checkov_finds_what_was_decided_and_nothing_else(folder: str, framework: str) -> None:
    """Severities are known to its vendor's service only, so each finding counts."""
    if not CHECKOV.is_file():
        pytest.skip("checkov is not installed; run: .ci/install-checkov")
    command = [str(CHECKOV), "--directory", folder, "--framework", framework, "--output", "json", "--skip-download", "--quiet"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 25
    found = {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    assert {each for each in found if each[0] not in ACCEPTED} == set()

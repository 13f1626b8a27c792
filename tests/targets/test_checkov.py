"""checkov on every template: what it has to say is what was decided, each with its reason, and no reason outlives its finding."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.targets.handler import ROOT

pytestmark = [pytest.mark.needs("checkov"), pytest.mark.infra]
CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"
KMS = "encrypted with the service's own key; a key of the customer's own has a price, and its policy is the customer's to write"
IDENTITIES = (
    "who comes in is decided by identity, no key opens it; the plan without a network of its own has no address to let in"
)
AWS = {
    "CKV_AWS_124": "a stack tells the topics that are given; there is none of its own",
    "CKV_AWS_2": "HTTPS where a certificate is given; without one the load balancer is within the network, which a rule asserts",
    "CKV_AWS_18": "access logs of buckets need a bucket of the account's for them",
    "CKV_AWS_51": "a stack names an image by its digest; who goes back pushes an earlier image under its tag again",
    "CKV_AWS_91": "the model's process logs a line for each request; access logs need a bucket of the account's for them",
    "CKV_AWS_95": "the function logs a line for each request",
    "CKV_AWS_103": "TLS 1.2 and 1.3 where a certificate is given; without one there is no TLS, within the network",
    "CKV_AWS_116": "the queues have a dead-letter queue; what is invoked without waiting is a schedule, which comes again",
    "CKV_AWS_119": KMS,
    "CKV_AWS_136": KMS,
    "CKV_AWS_144": "a model is pushed anew, and a file scored anew, in another region",
    "CKV_AWS_158": KMS,
    "CKV_AWS_272": "models are signed (docs/registry.md); a signer of code is the account's",
    "CKV_AWS_309": "a browser asks without credentials whether a page's script may call (CORS); all other methods ask for them",
    "CKV_AWS_338": "how long logs are kept is a variable",
    "CKV_AWS_370": "SageMaker isolates no serverless endpoint; every other kind is, unless NetworkIsolation says otherwise",
    "CKV2_AWS_4": "the function logs a line for each request",
    "CKV2_AWS_29": "a firewall has a price; rates are limited",
    "CKV2_AWS_51": "callers are known by a key",
    "CKV2_AWS_53": "the function checks each request by the model's signature, more closely than API Gateway could",
    "CKV2_AWS_62": "the bucket of files has them, that of models needs none",
}
AZURE = {
    "CKV_AZURE_17": "callers are known by a function key or a token; certificates are the customer's to issue",
    "CKV_AZURE_35": IDENTITIES,
    "CKV_AZURE_36": IDENTITIES,
    "CKV_AZURE_43": "the expression is read for the name; it makes `fly` or `data` and thirteen small letters and digits",
    "CKV_AZURE_95": "automaticOSUpgradePolicy is on; this asks for upgrades of the extension, which CustomScript does not have",
    "CKV_AZURE_97": "encryption at the host asks for a registered feature of the subscription; disks are encrypted without it",
    "CKV_AZURE_206": "three copies in one data centre; a model is pushed anew, and a file scored anew, in another region",
    "CKV_AZURE_212": "an instance that is kept has a price: alwaysReadyInstances",
    "CKV_AZURE_213": "instances are the plan's to replace; GET /ready is there for who wants to ask",
    "CKV_AZURE_222": "it is an endpoint on the internet; a private one has a network, a price and a parameter less",
    "CKV_AZURE_225": "instances in several zones have a price, and are asked for with at least three that are kept",
}
GOOGLE = {
    "CKV2_GCP_33": "an endpoint on the internet that asks each caller for an identity; a private one has a network of its own",
}
ACCEPTED = {"cloudformation": AWS, "terraform": {**AWS, **GOOGLE}, "arm": AZURE}


@pytest.fixture(scope="module")
def reports() -> dict[str, dict[str, Any]]:
    """What checkov says, by framework; it is asked once, without its vendor's service, and so tells no severities."""
    command = [str(CHECKOV), "--directory", "infra", "--framework", *ACCEPTED, "--output", "json", "--skip-download"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300)
    return {report["check_type"]: report for report in json.loads(done.stdout)}


@pytest.mark.parametrize("framework", ACCEPTED)
def test_what_is_found_is_what_was_decided(framework: str, reports: dict[str, dict[str, Any]]) -> None:
    report = reports[framework]
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 20
    found = {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    assert {each for each in found if each[0] not in ACCEPTED[framework]} == set()


def test_each_reason_has_a_finding(reports: dict[str, dict[str, Any]]) -> None:
    found = {check["check_id"] for report in reports.values() for check in report["results"]["failed_checks"]}
    assert (AWS.keys() | GOOGLE.keys() | AZURE.keys()) - found == set()


def test_every_provider_is_scanned(reports: dict[str, dict[str, Any]]) -> None:
    files = {check["file_path"] for report in reports.values() for check in report["results"]["passed_checks"]}
    assert {"/aws/template.yaml", "/azure/main.json"} <= files
    assert {"/scheduled/aws_batch.yaml", "/scheduled/step_functions.yaml"} <= files
    assert {file.split("/")[2] for file in files if file.startswith("/terraform/")} >= {"aws", "gcp"}

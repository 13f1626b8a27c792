"""`infra/vm` and the proxy's file: each judge takes them, rights are those in use, and a first boot is alike everywhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from flyweight.toolkit.targets.aws import template
from tests.targets.aws import awscli
from tests.targets.azure import arm_schemas
from tests.targets.gcp.gcloud import complaints
from tests.targets.handler import ROOT

INFRA = ROOT / "infra" / "vm"
AWS = template.read(INFRA / "aws.yaml")
ARM: dict[str, Any] = json.loads((INFRA / "azure.json").read_text())
# https://docs.cloud-init.io/en/latest/reference/modules.html: the schema lets a misspelt key at the top pass
KEYS = {"write_files", "runcmd"}
GIVEN = {
    "aws": ["--set", "Bucket=my-bucket", "--set", "VpcId=vpc-1", "--set", "SubnetIds=subnet-1,subnet-2"],
    "gcp": ["--group", "my-project", "--set", "BUCKET=my-bucket"],
    "azure": ["--group", "my-group", "--set", "storageAccount=account", "--set", "sshPublicKey=ssh-ed25519 AAAA ada"],
}
# https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
# IAM takes nothing but "*" as their resource
SESSIONS = {
    "ssm:UpdateInstanceInformation",
    *(f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")),
}


def user_data(cloud: str) -> str:
    """What a cloud's machines get for their first boot."""
    if cloud == "aws":
        text = str(AWS["Resources"]["Template"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"])
        return re.sub(r"\$\{[\w:]+\}", "VALUE", text)
    return str(ARM["variables"]["firstBoot"]) if cloud == "azure" else (INFRA / "cloud-init.yaml").read_text()


def script(cloud: str) -> list[str]:
    """The lines of the script in it."""
    (file,) = yaml.safe_load(user_data(cloud))["write_files"]
    return str(file["content"]).splitlines()


@pytest.mark.needs("machines")
@pytest.mark.parametrize("cloud", GIVEN)
def test_cloud_init_takes_the_user_data(cloud: str, tmp_path: Path) -> None:
    path = tmp_path / "user-data"
    path.write_text(user_data(cloud))
    done = subprocess.run(
        [ROOT / ".tools" / "machines" / "cloud-init", "schema", "--config-file", path], capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(user_data(cloud)).keys() <= KEYS
    path.write_text(user_data(cloud).replace('permissions: "0755"', "permissions: [755]"))
    assert subprocess.run(
        [ROOT / ".tools" / "machines" / "cloud-init", "schema", "--config-file", path], capture_output=True
    ).returncode


@pytest.mark.parametrize("cloud", GIVEN)
def test_a_first_boot_ends_alike_in_every_cloud(cloud: str) -> None:
    own, common = script(cloud), script("gcp")
    end = common.index('echo "$release  $archive" | sha256sum --check')
    assert own[own.index(common[end]) :] == common[end:]
    assert own[:4] == [*common[:1], own[1], "set -eu", "umask 022"]
    assert subprocess.run(["sh", "-n"], input="\n".join(own), text=True).returncode == 0
    assert "set -x" not in "\n".join(own)  # a token would be in the log


@pytest.mark.needs("machines", "openssl")
def test_nginx_takes_the_proxys_site(tmp_path: Path) -> None:
    tls = tmp_path / "etc" / "flyweight" / "tls"
    tls.mkdir(parents=True)
    names = [str(tls / f"models.example.com.{kind}") for kind in ("key", "crt")]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=models.example.com", "-days", "1"]
    subprocess.run([*words, "-keyout", names[0], "-out", names[1]], check=True, capture_output=True)
    site = (ROOT / "handlers" / "vm" / "nginx.conf").read_text().replace("/etc/flyweight/tls", str(tls))
    whole = f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{temporary(tmp_path)}{site}}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    nginx = [str(ROOT / ".tools" / "machines" / "nginx"), "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(nginx, capture_output=True, text=True)
    assert done.returncode == 0 and "test is successful" in done.stderr, done.stderr
    (tmp_path / "nginx.conf").write_text(whole.replace("proxy_read_timeout", "proxy_reed_timeout"))
    assert 'unknown directive "proxy_reed_timeout"' in subprocess.run(nginx, capture_output=True, text=True).stderr


def temporary(place: Path) -> str:
    """Where nginx may write."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {place}/{kind};\n" for kind in kinds)


def test_the_journals_limits_have_names_that_systemd_has() -> None:
    told = Path("/etc/systemd/journald.conf")
    if not told.is_file():
        pytest.skip("this machine has no journald.conf, which lists every name")
    known = {line.lstrip("#").partition("=")[0] for line in told.read_text().splitlines()}
    text = (ROOT / "handlers" / "vm" / "journald.conf").read_text()
    assert {line.partition("=")[0] for line in text.splitlines() if "=" in line and line[0] != "#"} <= known


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(match) for match in lint_file(INFRA / "aws.yaml")] == []


def test_a_machine_reads_its_releases_and_opens_sessions_and_does_nothing_else() -> None:
    release, sessions = AWS["Resources"]["Role"]["Properties"]["Policies"]
    (statement,) = release["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "s3:GetObject", {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/${AWS::StackName}/*"},
    )  # fmt: skip
    condition, granted, otherwise = sessions["Fn::If"]
    (statement,) = granted["PolicyDocument"]["Statement"]
    assert (condition, set(statement["Action"]), otherwise) == ("HasSessions", SESSIONS, {"Ref": "AWS::NoValue"})
    assert "ManagedPolicyArns" not in AWS["Resources"]["Role"]["Properties"]


def test_a_template_refuses_what_would_travel_in_clear() -> None:
    broken = template.broken_rules(AWS, {"Scheme": "internet-facing"})
    assert broken == ["Scheme=internet-facing asks for CertificateArn, since callers' rows would travel in clear"]
    assert template.broken_rules(AWS, {}) == []


@pytest.mark.parametrize("resource", ARM["resources"], ids=lambda resource: resource["type"].partition("/")[2])
def test_microsofts_schema_takes_the_resource(resource: dict[str, Any]) -> None:
    body = json.loads(json.dumps(resource))
    # its list of extensions is from before CustomScript's present version
    body["properties"] = {**body.get("properties", {})} if "properties" in body else {}
    if "virtualMachineProfile" in body["properties"]:
        del body["properties"]["virtualMachineProfile"]["extensionProfile"]
    try:
        assert arm_schemas.faults(body if body["properties"] else resource) == []
    except LookupError as error:
        pytest.skip(f"{error}; ARM_SCHEMAS leads to all of them")


def test_the_arm_template_names_only_what_it_declares_and_explains_it() -> None:
    text = (INFRA / "azure.json").read_text()
    assert json.dumps(ARM, indent=2, ensure_ascii=False) + "\n" == text
    assert set(re.findall(r"parameters\('(\w+)'\)", text)) == ARM["parameters"].keys()
    assert set(re.findall(r"variables\('(\w+)'\)", text)) == ARM["variables"].keys()
    for one in (ARM, *ARM["resources"], *ARM["parameters"].values(), *ARM["outputs"].values()):
        assert re.fullmatch(r"[A-Z].*\.", one["metadata"]["description"]), one


def lines(cloud: str, folder: Path) -> list[str]:
    """What the verbs print for a cloud, each line's command by itself."""
    found: list[str] = []
    verbs = [["deploy", "--folder", str(folder), *GIVEN[cloud]], ["status"], ["logs"], ["destroy"]]
    for verb, *options in verbs:
        group = [] if verb == "deploy" or "--group" not in GIVEN[cloud] else GIVEN[cloud][:2]
        done = CliRunner().invoke(main, [verb, "vm", "--cloud", cloud, "--name", "penguins", "--dry-run", *group, *options])
        assert done.exit_code == 0, done.output
        found += done.stdout.splitlines()
    return [*dict.fromkeys(re.sub(r"^\w+=\$\((.*)\)$", r"\1", line) for line in found)]


@pytest.fixture
def printed(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What the verbs print, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return lambda cloud: lines(cloud, built("vm"))


def test_the_aws_cli_takes_every_line(printed: Callable[[str], list[str]]) -> None:
    shown = printed("aws")
    own = [line for line in shown if line.startswith("aws ")]
    assert len(own) > 9 and [line for line in shown if line not in own and not line.startswith("bash ")] == []
    assert [fault for line in own for fault in awscli.complaints(line)] == []


@pytest.mark.needs("gcloud")
def test_gcloud_takes_every_line(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    shown = printed("gcp")
    assert len(shown) > 20 and all(line.startswith("gcloud ") for line in shown)
    assert complaints(shown, tmp_path) == []


def test_azures_verbs_upload_deploy_wait_and_remove(printed: Callable[[str], list[str]]) -> None:
    shown = printed("azure")
    starts = [" ".join(line.split()[:4]) for line in shown if line.startswith("az ")]
    assert [
        "az storage blob upload",
        "az deployment group create",
        "az vmss show --resource-group",
        "az vmss run-command invoke",
    ] == [one for one in dict.fromkeys(starts) if one.split()[1] in ("storage", "vmss") or one.endswith("create")]
    removed = [line.rpartition(" ")[2] for line in shown if line.startswith("az resource delete")]
    made = [one["type"] for one in ARM["resources"] if one["name"] == "[parameters('name')]"]
    assert removed == made[::-1]


def test_a_refresh_and_an_upgrade_are_waited_for_and_fail_loudly(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    answers = tmp_path / "answers"
    for tool in ("aws", "az"):
        (tools / tool).write_text(f"#!/bin/sh\nhead -n 1 {answers}\nsed -i 1d {answers}\n")
        (tools / tool).chmod(0o755)
    for name, said, status in (
        ("aws-refresh.sh", "Pending\nInProgress\nSuccessful\n", 0),
        ("aws-refresh.sh", "InProgress\nFailed\n", 1),
        ("azure-upgrade.sh", "2\nRollingForward\n0\n", 0),
        ("azure-upgrade.sh", "2\nFaulted\n", 1),
    ):
        answers.write_text(said)
        environ = {"PATH": f"{tools}:/usr/bin:/bin", "PAUSE": "0"}
        done = subprocess.run(["bash", INFRA / name, "a", "b", "c"], env=environ, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        assert answers.read_text() == "" and bool(done.stderr) == bool(status)

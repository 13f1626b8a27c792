"""Each static host's own tool takes the printed lines, and what is copied has the types that a browser wants."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto.server import ThreadedMotoServer

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.browser.static_host import TYPES
from flyweight.toolkit.targets.commands import Command
from flyweight.toolkit.targets.deployment import Deployment
from tests.targets.azure.azure_tools import EVERYWHERE, asked
from tests.targets.cloudflare.wrangler import complaints as complaints_of_wrangler
from tests.targets.cloudflare.wrangler import put_on_path
from tests.targets.gcp.gcloud import complaints, needs_gcloud

BROWSER = targets.find("browser")
GROUPS = {"azure": "birdsaccount", "gcs": "birds-bucket", "pages": "0123456789abcdef", "s3": "birds-bucket"}
TOOLS = ("aws", "az", "env", "gcloud", "wrangler")
STAND_IN = "#!{python} -IS\nimport json, sys\nopen({file!r}, 'a').write(json.dumps(sys.argv) + '\\n')\n"
# those that https://learn.microsoft.com/cli/azure/storage/blob names; where az is installed, its help is asked below
AZ = {"--account-name", "--auth-mode"}
AZ_OPTIONS = {
    "az storage blob upload-batch": {
        *AZ, "--destination", "--destination-path", "--source", "--overwrite", "--pattern", "--content-type",
    },
    "az storage blob list": {*AZ, "--container-name", "--prefix"},
    "az storage blob delete-batch": {*AZ, "--source", "--pattern"},
}  # fmt: skip
each = pytest.mark.parametrize("platform", GROUPS)


def place(platform: str, folder: Path = Path("a folder")) -> Deployment:
    return Deployment("birds", group=GROUPS[platform], folder=folder, platform=platform)


def lines(platform: str, folder: Path = Path("a folder")) -> list[Command]:
    """All commands of a platform."""
    deployer, there = BROWSER.on(platform).deployer, place(platform, folder)
    return [*deployer.deploy(there), *deployer.status(there), *deployer.destroy(there)]


def flyweight(verb: str, *words: object) -> Result:
    return CliRunner().invoke(main, [verb, "browser", *map(str, words)])


def test_every_platform_is_here() -> None:
    assert BROWSER.platforms() == sorted(GROUPS)


@each
def test_every_line_is_one_that_a_shell_reads(platform: str) -> None:
    text = "\n".join(map(str, lines(platform)))
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "'$web'" in text or platform != "azure", "a shell would put a variable there"


@needs_gcloud
def test_gcloud_takes_every_line(tmp_path: Path) -> None:
    assert complaints([*map(str, lines("gcs"))], tmp_path) == []


def test_az_has_each_option() -> None:
    for line in map(str, lines("azure")):
        (known,) = [options for command, options in AZ_OPTIONS.items() if line.startswith(f"{command} ")]
        assert {word for word in shlex.split(line) if word.startswith("--")} <= known | EVERYWHERE, line


@pytest.mark.needs("az")
@pytest.mark.parametrize("command", AZ_OPTIONS)
def test_the_azure_cli_itself_has_what_we_wrote_down(command: str, tmp_path: Path) -> None:
    assert asked(command, tmp_path) >= AZ_OPTIONS[command]


@pytest.mark.slow
@pytest.mark.needs("wrangler")
def test_wranglers_parser_takes_each_line_and_no_misspelt_one(
    built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch)
    created, *others = map(str, lines("pages", shutil.copytree(built("browser"), tmp_path / "page")))
    asked, made = re.findall(r"wrangler pages (?:deployment|project) [^>']*(?= >|')", created)
    texts = [text.replace('"$0"', "birds") for text in (asked, made)]
    assert complaints_of_wrangler([*texts, created, *others], tmp_path) == []
    misspelt = "wrangler pages project delete birds --yess"
    assert complaints_of_wrangler([misspelt], tmp_path) == [misspelt]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket of moto's, which the AWS CLI is led to."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-tests")
    found = boto3.resource("s3", region_name="eu-west-1", endpoint_url=f"http://{host}:{port}").Bucket(GROUPS["s3"])
    found.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield found
    server.stop()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed; run: pip install awscli")
def test_the_aws_cli_copies_with_types_replaces_a_file_of_the_same_size_and_leaves_others_of_the_bucket(
    built: Callable[[str], Path], tmp_path: Path, bucket: Any
) -> None:
    first = shutil.copytree(built("browser"), tmp_path / "page")
    (first / "further.mjs").write_text("export {}")
    (first / "further.wasm").write_bytes(b"\0asm")
    bucket.put_object(Key="birds-of-others/index.html", Body=b"not ours")
    deployer, there = BROWSER.on("s3").deployer, place("s3", first)
    run(deployer.deploy(there))
    files = {f"birds/{path.relative_to(first)}" for path in first.rglob("*") if path.is_file()}
    assert {one.key for one in bucket.objects.all()} == {*files, "birds-of-others/index.html"}
    types = {one.key: bucket.Object(one.key).content_type for one in bucket.objects.filter(Prefix="birds/")}
    typed = {name: kind for name, kind in types.items() if name.rpartition(".")[2] in TYPES}
    assert len(typed) >= 4 and all(kind == TYPES[name.rpartition(".")[2]] for name, kind in typed.items())
    assert types["birds/index.html"] == "text/html" and types["birds/page.css"] == "text/css"
    second = shutil.copytree(first, tmp_path / "second")
    (second / "further.mjs").unlink()
    model = second / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    os.utime(model, (0, 0))  # as old as one that a rollback copies
    run(deployer.deploy(replace(there, folder=second)))
    assert bucket.Object("birds/model.safetensors").get()["Body"].read() == model.read_bytes()
    assert {one.key for one in bucket.objects.filter(Prefix="birds/")} == files - {"birds/further.mjs"}
    run([*deployer.status(there), *deployer.destroy(there)])
    assert [one.key for one in bucket.objects.all()] == ["birds-of-others/index.html"]


def run(commands: list[Command]) -> None:
    for one in commands:
        subprocess.run(one.words, check=True, capture_output=True, timeout=300)


@each
def test_deploy_copies_the_folder_keeps_releases_and_goes_back(
    platform: str, built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, stand_ins = tmp_path / "ran.jsonl", tmp_path / "stand-ins"
    stand_ins.mkdir()
    for tool in TOOLS:
        (stand_ins / tool).write_text(STAND_IN.format(python=sys.executable, file=str(file)))
        (stand_ins / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_ins}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    named = ["--platform", platform, "--name", "birds", "--group", GROUPS[platform]]
    for number in (1, 2):
        done = flyweight("deploy", "--folder", built("browser"), *named)
        assert done.exit_code == 0, done.output
        assert "no: it has no address" in done.stdout and f"{number}: penguins 1.0.0" in done.stdout
    before = len(file.read_text().splitlines())
    assert flyweight("rollback", *named).exit_code == 0
    again = [json.loads(line) for line in file.read_text().splitlines()[before:]]
    assert [words for words in again if any(word.endswith("/0001") for word in words)], "the folder of the release before"
    assert flyweight("destroy", *named, "--yes").exit_code == 0


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("s3", {"group": ""}, "s3 needs the name of its bucket"),
    ("azure", {"group": ""}, "azure needs the name of its account"),
    ("azure", {"group": "birds-account"}, "is not a valid name of an account"),
    ("gcs", {"name": "Birds"}, "is not a valid name of a page"),
    ("pages", {"parameters": {"colour": "red"}}, "a page on pages has no 'colour'"),
    ("s3", {"tags": {"team": "ml"}}, "a page on s3 has no 'team'"),
]


@pytest.mark.parametrize(("platform", "changes", "words"), REFUSED)
def test_what_a_host_can_not_keep_is_refused(platform: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeployFailed, match=words):
        BROWSER.on(platform).deployer.refuse_names(replace(place(platform), **changes))


@each
def test_a_page_has_no_log(platform: str) -> None:
    done = flyweight("logs", "--platform", platform, "--name", "birds", "--group", GROUPS[platform], "--dry-run")
    assert done.exit_code == 1 and "a page writes no log" in done.stderr

"""Each scheduler's own tool gets lines that it takes, and files with this deployment's values."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from tests.targets.aws import awscli
from tests.targets.azure.azure_tools import strange
from tests.targets.gcp.gcloud import complaints, needs_gcloud

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/batch"
BATCH = {"VpcId": "vpc-0a1b2c", "SubnetIds": "subnet-0a1b2c,subnet-0d4e5f", "InputBucket": "tables", "OutputBucket": "answers"}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:penguins:1"
PROGRAM = {"input": "s3://tables/day=*/*.parquet", "output": "s3://tables/scored", "arguments": "--keep id,day --on-error raise"}
ACCOUNT = "jobs@my-project.iam.gserviceaccount.com"
GIVEN: dict[str, dict[str, str]] = {
    "aws_batch": {**BATCH, "Image": f"{ECR}:1"},
    "cloud_run_jobs": {**PROGRAM, "image": "europe-west1-docker.pkg.dev/my-project/my/batch:1", "account": ACCOUNT},
    "container_apps_jobs": {"image": "penguins.azurecr.io/batch:1", "account": "penguintables"},
    "cron": {**PROGRAM, "schedule": "30 4 * * 1-5"},
    "step_functions": {"FunctionArn": FUNCTION, "Bucket": "tables"},
    "systemd": {**PROGRAM, "schedule": "Mon..Fri *-*-* 04:30:00"},
}  # fmt: skip
GROUP = {"cloud_run_jobs": ["--group", "my-project"], "container_apps_jobs": ["--group", "birds"]}
REGION = {"aws_batch": ["--region", "eu-west-1"], "step_functions": ["--region", "eu-west-1"]}
WORDS = [PROGRAM["input"], "--output", PROGRAM["output"], "--keep", "id,day", "--on-error", "raise"]
# the options of `az` beside --resource-group and --name: https://learn.microsoft.com/cli/azure/containerapp/job
AZ = {"show": set(), "execution list": set(), "logs show": {"--container", "--format", "--tail", "--follow"}}
STAND_IN = """#!{python} -IS
import json, sys
from pathlib import Path
file, line = Path({file!r}), " ".join(sys.argv)
with file.open("a") as log:
    log.write(json.dumps([sys.argv[0].rpartition("/")[2], *sys.argv[1:]]) + "\\n")
if "ParameterKey==" in line or "properties.parameters." in line:
    made = sum("--parameter" in one for one in file.read_text().splitlines())
    print(f"registry.example/of-release:{{made}}" if made else "None")
"""
TOOLS = ("aws", "az", "bash", "crontab", "flock", "gcloud", "mkdir", "python3", "sh", "sudo", "systemctl")
each = pytest.mark.parametrize("platform", GIVEN)


def flyweight(verb: str, platform: str, *words: object) -> Result:
    where = [*GROUP.get(platform, []), *REGION.get(platform, [])]
    return CliRunner().invoke(main, [verb, "scheduled", "--platform", platform, "--name", "birds", *where, *map(str, words)])


def deployed(platform: str, folder: Path, *words: str, **changed: str) -> Result:
    pairs = [word for name, value in {**GIVEN[platform], **changed}.items() for word in ("--set", f"{name}={value}")]
    return flyweight("deploy", platform, "--folder", folder, *pairs, *words)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and a home of their own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home of ada"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def printed(built: Callable[[str], Path]) -> Callable[[str], list[str]]:
    """The lines of a platform that a dry run prints, for each verb; a command of several lines is one."""

    def lines(platform: str) -> list[str]:
        done = deployed(platform, built("scheduled"), "--dry-run", "--json")
        assert done.exit_code == 0, done.output
        found: list[str] = json.loads(done.stdout)["commands"]
        for verb, *more in (["status"], ["logs", "--since", "1h"], ["logs", "--follow"], ["destroy"]):
            asked = flyweight(verb, platform, *more, "--dry-run", "--json")
            assert asked.exit_code == 0, asked.output
            found += json.loads(asked.stdout)["commands"]
        return found

    return lines


@pytest.fixture
def ran(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """What stand-ins for the tools were called with."""
    place, file = elsewhere / "stand-ins", elsewhere / "ran.jsonl"
    place.mkdir()
    for tool in TOOLS:
        (place / tool).write_text(STAND_IN.format(python=sys.executable, file=str(file)))
        (place / tool).chmod(0o755)
    pip = elsewhere / "home of ada" / ".local/share/flyweight-batch/birds/.venv/bin/pip"
    pip.parent.mkdir(parents=True)
    pip.symlink_to(place / "python3")
    monkeypatch.setenv("PATH", str(place))
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def one(lines: list[str], part: str) -> str:
    """The one line with this part."""
    (found,) = [line for line in lines if part in line]
    return found


def test_every_platform_is_here_and_this_machines_is_the_usual_one() -> None:
    assert targets.find("scheduled").platforms() == sorted(GIVEN)
    assert targets.find("scheduled").deployer is targets.find("scheduled").on("systemd").deployer


@each
def test_every_line_is_one_that_a_shell_reads(platform: str, printed: Callable[[str], list[str]]) -> None:
    done = subprocess.run(["bash", "-n"], input="\n".join(printed(platform)), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("platform", REGION)
def test_the_aws_cli_takes_every_line(platform: str, printed: Callable[[str], list[str]]) -> None:
    lines = [re.sub(r"^\w+=\$\((.*)\)$", r"\1", line) for line in printed(platform)]
    assert len(lines) >= 9
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []
    overrides = shlex.split(one(lines, "cloudformation deploy")).index("--parameter-overrides")
    given = dict(word.split("=", 1) for word in shlex.split(one(lines, "cloudformation deploy"))[overrides + 1 :])
    assert given == GIVEN[platform]


@needs_gcloud
def test_gcloud_takes_every_line_and_both_of_the_schedules(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    lines = printed("cloud_run_jobs")
    words = shlex.split(one(lines, "bash -c"))
    assert words[2].count("gcloud scheduler jobs") == 2
    schedule = [f"gcloud scheduler jobs {verb} http {shlex.join(words[4:])}" for verb in ("create", "update")]
    asked = f"gcloud scheduler jobs describe {shlex.join(words[4:7])}"
    given = [*schedule, asked, *[line for line in lines if line.startswith("gcloud")]]
    assert len(given) >= 10 and complaints(given, tmp_path) == []


def test_gcloud_gets_words_with_commas_in_them_as_they_are(printed: Callable[[str], list[str]]) -> None:
    args = next(word for word in shlex.split(one(printed("cloud_run_jobs"), "jobs deploy")) if word.startswith("--args="))
    _, separator, text = args.removeprefix("--args=").split("^", 2)
    assert text.split(separator) == WORDS


def test_the_schedule_is_made_once_and_then_changed(elsewhere: Path, ran: Callable[[], list[list[str]]], built: Any) -> None:
    done = deployed("cloud_run_jobs", built("scheduled"), "--dry-run", "--json")
    line = one(json.loads(done.stdout)["commands"], "bash -c")
    tool = elsewhere / "stand-ins" / "gcloud"
    for status, verb in ((1, "create"), (0, "update")):
        tool.write_text(f'#!/bin/sh\necho "$3" >> {elsewhere}/verbs\ntest "$3" != describe || exit {status}\n')
        subprocess.run(["/bin/bash", "-c", line.removeprefix("bash -c").join(["/bin/bash -c", ""])], check=True)
        assert (elsewhere / "verbs").read_text().split()[-2:] == ["describe", verb]


def test_az_has_each_option(printed: Callable[[str], list[str]]) -> None:
    for line in printed("container_apps_jobs"):
        job = re.match(r"az containerapp job ([a-z ]+?) --", line)
        if job is None:
            removes = line.startswith(("az resource delete", "PRINCIPAL=$(az identity show", "bash -c"))
            assert removes or not strange(line), line
            continue
        options = {word for word in shlex.split(line) if word.startswith("--")}
        assert options <= AZ[job[1]] | {"--resource-group", "--name", "--query", "--output"}


@each
def test_deploy_runs_the_tool_and_a_rollback_takes_the_release_before(
    platform: str, built: Callable[[str], Path], ran: Callable[[], list[list[str]]]
) -> None:
    for _ in range(2):
        done = deployed(platform, built("scheduled"))
        assert done.exit_code == 0, done.output
    assert "no: it has no address" in done.stdout and "2: penguins 1.0.0" in done.stdout
    last = {
        "aws_batch": "--parameter-overrides", "step_functions": "--parameter-overrides", "container_apps_jobs": "--template-file",
        "cloud_run_jobs": "deploy", "cron": "sh", "systemd": "enable",
    }[platform]  # fmt: skip
    before = sum(last in words for words in ran())
    assert before == 2, ran()
    back = flyweight("rollback", platform)
    assert back.exit_code == 0, back.output
    again = [words for words in ran() if last in words][before:]
    assert len(again) == 1
    if hasattr(targets.find("scheduled").on(platform).deployer, "label"):
        assert any(word.lower().endswith("=registry.example/of-release:1") for word in again[0])


@each
def test_a_missing_and_a_strange_parameter_are_named(platform: str, built: Callable[[str], Path]) -> None:
    missing = flyweight("deploy", platform, "--folder", built("scheduled"), "--dry-run")
    strange_one = deployed(platform, built("scheduled"), "--dry-run", colour="red")
    needed = re.findall(r"--set (\w+)=", missing.stderr)
    assert missing.exit_code == 1 and needed and {*needed} <= GIVEN[platform].keys()
    assert strange_one.exit_code == 1 and "colour" in strange_one.stderr


@pytest.mark.parametrize(
    ("platform", "changed", "told"),
    [
        ("systemd", {"schedule": "at night\nExecStart=x"}, "is not a valid name of a time"),
        ("systemd", {"output": "/srv/answers"}, "the service may not write to /srv/answers"),
        ("systemd", {"input": "tables"}, "tables is not an absolute path"),
        ("cron", {"schedule": "0 3 * *"}, "is not a valid name of a time"),
        ("cron", {"arguments": "--keep a\nb"}, "a parameter has a line break"),
        ("aws_batch", {"Image": "penguins"}, "'penguins' is not a valid name of an image"),
        ("aws_batch", {"Image": ECR}, "flyweight build scheduled --model MODEL --as oci"),
    ],
)
def test_what_can_not_be_deployed_is_refused_in_words(
    platform: str, changed: dict[str, str], told: str, built: Callable[[str], Path]
) -> None:
    done = deployed(platform, built("scheduled"), "--dry-run", **changed)
    assert done.exit_code == 1 and told in " ".join(done.stderr.split()), done.output


def test_this_machine_has_no_groups(built: Callable[[str], Path]) -> None:
    done = deployed("cron", built("scheduled"), "--dry-run", "--group", "birds")
    assert done.exit_code == 1 and "this machine has no groups" in done.stderr


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed; run: apt-get install systemd"
)
def test_systemd_takes_the_units_of_a_deployment(built: Callable[[str], Path], elsewhere: Path) -> None:
    done = deployed("systemd", built("scheduled"), "--dry-run", arguments="--keep 'a b%c' --outputs '$HOME'")
    assert done.exit_code == 0, done.output
    work = elsewhere / ".flyweight" / "scheduled"
    text = (work / "birds.flyweight-batch.service").read_text()
    assert re.search(r"^WorkingDirectory=/opt/flyweight-batch/birds/[0-9a-f]{64}$", text, re.MULTILINE)
    assert "StateDirectory=flyweight-batch-birds\n" in text and '--keep "a b%%c" --outputs $$HOME\n' in text
    for kind in ("service", "timer"):
        unit = (
            (work / f"birds.flyweight-batch.{kind}")
            .read_text()
            .replace("/opt/flyweight-batch/birds/.venv/bin/python", sys.executable)
        )
        (elsewhere / f"flyweight-batch-birds.{kind}").write_text(unit)
    files = [str(elsewhere / f"flyweight-batch-birds.{kind}") for kind in ("service", "timer")]
    judged = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *files], capture_output=True, text=True)
    assert (judged.returncode, judged.stderr) == (0, "")
    assert "OnCalendar=Mon..Fri *-*-* 04:30:00\n" in (work / "birds.flyweight-batch.timer").read_text()


CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then cat "$HOME/kept" 2>/dev/null || exit 1; else cat > "$HOME/new"; mv "$HOME/new" "$HOME/kept"; fi
"""


def test_a_deployment_to_cron_really_scores_and_leaves_other_lines_alone(
    built: Callable[[str], Path], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crontab is a file; all else is real: the folder is unpacked, the line runs the program, and is removed again."""
    home, place = elsewhere / "home of ada", elsewhere / "bin"
    place.mkdir()
    (place / "crontab").write_text(CRONTAB)
    (place / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    (home / "in").mkdir(parents=True)
    (home / "in" / "rows.jsonl").write_text('{"id": 1}\n')
    other = "5 5 * * * true # flyweight-batch birds-2;\n"
    (home / "kept").write_text(other)
    given = {"input": f"'{home}/in'", "output": f"{home}/out", "arguments": "--keep id"}
    printed = json.loads(deployed("cron", built("scheduled"), "--dry-run", "--json", **given).stdout)["commands"]
    lines = [line for line in printed if "venv" not in line]  # its packages are those of this environment
    assert len(printed) - len(lines) == 2
    for line in [*lines, *lines[-1:]]:
        subprocess.run(["sh", "-c", line], check=True)
    first, ours = (home / "kept").read_text().splitlines()
    assert f"{first}\n" == other and ours.startswith("30 4 * * 1-5 cd ")
    python = home / ".local/share/flyweight-batch/birds/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert "no run yet" in flyweight("status", "cron").stdout
    environ = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(["sh", "-c", ours.split(maxsplit=5)[5].replace(r"\%", "%")], env=environ)
    log = (python.parents[2] / "log").read_text()
    assert done.returncode == 0 and json.loads(log)["rows"] == 1, log
    assert '"message": "done"' in flyweight("status", "cron", "--json").stdout.replace('\\"', '"') or "done" in log
    for line in json.loads(flyweight("destroy", "cron", "--dry-run", "--json").stdout)["commands"]:
        subprocess.run(["sh", "-c", line], check=True)
    assert (home / "kept").read_text() == other and not python.exists()

"""Every line that a dry run prints is one that the provider's own tool takes, as far as that can be told without an account."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import Deployment, target
from tests.targets.aws import awscli
from tests.targets.aws.sam import sam
from tests.targets.azure.azure_tools import EVERYWHERE, EXTENSIONS, OPTIONS, asked, az, strange
from tests.targets.gcp.gcloud import complaints, needs_gcloud

VERBS = (["deploy"], ["logs"], ["logs", "--follow"], ["status"], ["destroy"], ["rollback"])
NAMED = ["--name", "two-words", "--region", "us-east-1", "--group", "two-words"]


@pytest.fixture(scope="module")
def printed(folders: Callable[[str, int], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """From a provider to every line that its dry runs print, with what is inside `$(...)` and `(cd ... && ...)` by itself."""
    from click.testing import CliRunner

    from flyweight.toolkit.cli import main
    from flyweight.toolkit.deploying.releases import Releases

    place = tmp_path_factory.mktemp("place")

    def lines(provider: str) -> list[str]:
        found: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            folder = shutil.copytree(folders(provider, 1), place / f"a folder {provider}", dirs_exist_ok=True)
            for name in ("flyweight", "two-words"):
                releases = Releases(provider, name)
                for label in ("1", "2"):
                    releases.keep(releases.stage(folder), f"rev-{label}", {})
            for verb, *options in VERBS:
                built = ["--folder", str(folder)] if verb == "deploy" else []
                for named in ([], NAMED):
                    result: Result = CliRunner().invoke(main, [verb, provider, *options, *built, *named, "--dry-run"])
                    assert result.exit_code == 0, result.output
                    found += result.stdout.splitlines()
        return [re.sub(r"^(?:\w+=\$)?\((?:cd .*? && )?(.*)\)$", r"\1", line) for line in dict.fromkeys(found)]

    return lines


@needs_gcloud
def test_gcloud_takes_every_line(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    lines = printed("gcp")
    assert len(lines) > 10 and all(line.startswith("gcloud ") for line in lines)
    assert complaints(lines, tmp_path) == []


def test_sam_takes_every_line(printed: Callable[[str], list[str]], tmp_path: Path) -> None:
    lines = [line for line in printed("aws") if line.startswith("sam ")]
    verbs = {line.split()[1] for line in lines}
    assert verbs == {"deploy", "delete"}
    for verb in verbs:
        known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", sam(verb, "--help", cwd=tmp_path)))
        known |= {f"--no-{option[2:]}" for option in known}  # the help lists a flag and its opposite as one
        used = {word for line in lines if line.split()[1] == verb for word in shlex.split(line) if word.startswith("-")}
        assert used <= known, used - known


def test_aws_takes_every_line(printed: Callable[[str], list[str]]) -> None:
    """By botocore's models of its services; in a query, each name is one that the answer has."""
    lines = [line for line in printed("aws") if line.startswith("aws ")]
    lines += [str(tool.login) for tool in target("aws").tools(Deployment()) if tool.login]
    assert len({tuple(line.split()[1:3]) for line in lines}) == 5
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []


def test_the_key_of_an_api_is_fetched_as_aws_has_it() -> None:
    fetched = [str(one) for one in target("aws").key(Deployment(parameters={"Access": "api-key"}))]
    lines = [re.sub(r"^\w+=\$\((.*)\)$", r"\1", line) for line in fetched]
    assert len(lines) == 2
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("aws lambda get-alias --function-name f --name live --qualifier 1", "no option --qualifier"),
        ("aws lambda get-alias --function-name f", "lacks --name"),
        ("aws lambda show-alias --function-name f", "lambda has no show-alias"),
        ("aws lambda get-alias --function-name f --name live --query Version", "answers no Version"),
        ("aws logs tail group --last 10m", "no option --last"),
    ],
)
def test_a_line_that_aws_would_not_take_is_found(line: str, complaint: str) -> None:
    assert awscli.complaints(line) == [f"{line}: {complaint}"]


def test_az_and_func_have_each_option(printed: Callable[[str], list[str]]) -> None:
    lines = printed("azure")
    assert {line.split()[0] for line in lines} == {"az", "func"}
    assert [line for line in lines if strange(line)] == []


@pytest.mark.skipif(az() is None, reason="the Azure CLI is not installed; run: .ci/install-az")
@pytest.mark.parametrize("command", [one for one in OPTIONS if one.startswith("az ") and not one.startswith(EXTENSIONS)])
def test_the_azure_cli_itself_has_what_we_wrote_down(command: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.getbasetemp() / "azure"
    place.mkdir(exist_ok=True)
    assert OPTIONS[command] | EVERYWHERE <= asked(command, place)


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_every_line_is_one_that_a_shell_reads(provider: str, printed: Callable[[str], list[str]]) -> None:
    done = subprocess.run(["bash", "-n"], input="\n".join(printed(provider)), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_copy_of_the_template_names_the_folder_and_is_the_template_otherwise(
    printed: Callable[[str], list[str]], folders: Callable[[str, int], Path], tmp_path: Path
) -> None:
    place = Deployment(folder=folders("aws", 1), work=tmp_path)
    target("aws").deploy(place)
    text = (tmp_path / "flyweight.template.yaml").read_text()
    original = (Path(__file__).parents[3] / "infra" / "aws" / "template.yaml").read_text()
    changed = [(a, b) for a, b in zip(text.splitlines(), original.splitlines(), strict=True) if a != b]
    assert [(a.strip(), b.strip()) for a, b in changed] == [(f"CodeUri: {place.folder}", "CodeUri: ../../build/aws")]
    assert "../" not in text.replace(str(place.folder), "")  # nothing else is found from where the original lies

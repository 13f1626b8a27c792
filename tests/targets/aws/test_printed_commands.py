"""Every line that a dry run prints is one that SAM and the AWS CLI take, as far as that can be told without an account."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import jmespath
import pytest

from flyweight.toolkit.deploying import DeployFailed, Deployment, deployer
from flyweight.toolkit.targets.aws.deployment import EARLIER
from tests.targets.aws import awscli
from tests.targets.aws.sam import sam, sam_reads


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
    lines += [str(one) for one in deployer("aws").account(Deployment())]
    lines += [str(tool.login) for tool in deployer("aws").tools(Deployment()) if tool.login]
    assert len({tuple(line.split()[1:3]) for line in lines}) == 6
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []


def test_the_key_of_an_api_is_fetched_as_aws_has_it() -> None:
    fetched = [str(one) for one in deployer("aws").key(Deployment(parameters={"Access": "api-key"}))]
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


def test_a_copy_of_the_template_names_the_folder_and_is_the_template_otherwise(
    printed: Callable[[str], list[str]], folders: Callable[[str, int], Path], tmp_path: Path
) -> None:
    place = Deployment(folder=folders("aws", 1), work=tmp_path)
    deployer("aws").deploy(place)
    text = (tmp_path / "flyweight.eu-west-1.template.yaml").read_text()
    original = (Path(__file__).parents[3] / "infra" / "aws" / "template.yaml").read_text()
    changed = [(a, b) for a, b in zip(text.splitlines(), original.splitlines(), strict=True) if a != b]
    assert [(a.strip(), b.strip()) for a, b in changed] == [(f'CodeUri: "{place.folder}"', "CodeUri: ../../build/aws")]
    assert "../" not in text.replace(str(place.folder), "")  # nothing else is found from where the original lies


READ = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType, CfnTags
words = json.load(sys.stdin)
kinds = {"--parameter-overrides": CfnParameterOverridesType, "--tags": CfnTags}
print(json.dumps({option: kinds[option]().convert(tuple(given), None, None) for option, given in words.items()}))
"""
VALUES = {"JwtAudience": "a 'b' $(c) Access=public", "JwtIssuer": 'https://issuer.example/"x"', "Schedule": "cron(0 6 * * ? *)"}
VALUES |= {"Model": "", "CorsOrigins": "https://a.example,https://b.example", "QueueVisibility": "60"}
TAGS = {"team": "ml", "app:stage": "prod/1"}


def test_sam_reads_each_parameter_and_tag_as_it_was_given(put: Callable[[str, int], None], here: Path, tmp_path: Path) -> None:
    """A value without quotes ends at a space, and what follows would be another parameter."""
    put("aws", 1)
    place = Deployment(folder=here / "build" / "aws", work=tmp_path, parameters=VALUES, tags=TAGS)
    words = [*deployer("aws").deploy(place)[0].words]
    start, tags = words.index("--parameter-overrides"), words.index("--tags")
    given = {"--parameter-overrides": words[start + 1 : tags], "--tags": words[tags + 1 :]}
    read = sam_reads(READ, given, cwd=tmp_path)
    assert read["--tags"] == TAGS
    assert {name: read["--parameter-overrides"][name] for name in VALUES} == VALUES


@pytest.mark.parametrize("value", ["a\\b", "a\nb", "a\x1bb"])
def test_what_sam_could_not_read_back_is_refused(value: str, put: Callable[[str, int], None], here: Path) -> None:
    put("aws", 1)
    with pytest.raises(DeployFailed, match="SAM can't be given JwtAudience"):
        deployer("aws").deploy(Deployment(folder=here / "build" / "aws", work=here, parameters={"JwtAudience": value}))


def test_the_version_before_the_live_one_is_the_greatest_below_it() -> None:
    versions = {"Versions": [{"Version": version} for version in ("$LATEST", "1", "2", "9", "10", "11")]}
    asked = {live: jmespath.search(EARLIER.replace("$LIVE", live), versions) for live in ("10", "11", "2", "1")}
    assert asked == {"10": 9, "11": 10, "2": 1, "1": None}
    assert jmespath.search(EARLIER.replace("$LIVE", ""), versions) is None

"""Every line that a dry run prints is one that SAM and the AWS CLI take, as far as that can be told without an account."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit.deploying import Deployment, deployer
from tests.targets.aws import awscli
from tests.targets.aws.sam import sam


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
    lines += [str(tool.login) for tool in deployer("aws").tools(Deployment()) if tool.login]
    assert len({tuple(line.split()[1:3]) for line in lines}) == 5
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
    text = (tmp_path / "flyweight.template.yaml").read_text()
    original = (Path(__file__).parents[3] / "infra" / "aws" / "template.yaml").read_text()
    changed = [(a, b) for a, b in zip(text.splitlines(), original.splitlines(), strict=True) if a != b]
    assert [(a.strip(), b.strip()) for a, b in changed] == [(f"CodeUri: {place.folder}", "CodeUri: ../../build/aws")]
    assert "../" not in text.replace(str(place.folder), "")  # nothing else is found from where the original lies

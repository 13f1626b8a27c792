"""Every line that a dry run prints is one that the AWS CLI and flyweight's own command line take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from flyweight.toolkit.cli import main
from flyweight.toolkit.deploying import Deployment, deployer
from tests.targets.aws import awscli
from tests.targets.handler import ROOT
from tests.targets.sagemaker.conftest import FOLDER, KINDS

Printed = Callable[[str], list[str]]


def test_aws_takes_every_line(printed: Printed, put: Callable[[str, int], None], here: Path) -> None:
    """By botocore's models of its services; in a query, each name is one that the answer has."""
    put("sagemaker", 1)
    place = Deployment(folder=here / "build" / "sagemaker", work=here, parameters={"ModelData": "s3://my-bucket/models/"})
    lines = [line for line in printed("sagemaker") if line.startswith("aws ")]
    lines += [str(one) for one in deployer("sagemaker").deploy(place) if one.words[0] == "aws" and not one.into]
    lines += [str(one) for one in deployer("sagemaker").account(place)]
    lines += [str(tool.login) for tool in deployer("sagemaker").tools(place) if tool.login]
    lines += [str(deployer("sagemaker").call(place)), *pasted()]
    asked = {tuple(line.split()[1:3]) for line in lines}
    assert {("s3", "cp"), ("cloudformation", "deploy"), ("sagemaker-runtime", "invoke-endpoint")} <= asked
    assert {("sagemaker", "create-transform-job"), ("ecr", "describe-repositories")} <= asked
    assert [complaint for line in lines for complaint in awscli.complaints(line)] == []


def pasted() -> list[str]:
    """The lines for `aws` on the page."""
    text = (ROOT / "docs" / "providers" / "sagemaker.md").read_text().replace("\\\n", " ")
    fences = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for fence in fences for line in fence.splitlines()]
    inner = [found for line in lines for found in re.findall(r"\$\((aws [^)]*)\)", line)]
    return [line for line in [*lines, *inner] if line.startswith("aws ")]


def test_flyweight_takes_the_line_that_pushes_the_image(printed: Printed) -> None:
    (line, *_) = [line for line in printed("sagemaker") if line.startswith("flyweight image push")]
    _, verb, inner, *arguments = shlex.split(line)
    group = main.get_command(click.Context(main), verb)
    assert isinstance(group, click.Group)
    command = group.get_command(click.Context(group), inner)
    assert command is not None
    given, left, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert left == [] and given["user"] == "AWS"
    assert awscli.complaints(given["password_command"]) == []


def test_what_is_deployed_is_named_by_its_digest_and_its_hash(printed: Printed) -> None:
    (line, *_) = [line for line in printed("sagemaker") if "sagemaker/template.yaml" in line]
    words = shlex.split(line)
    overrides = dict(word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :])
    assert overrides["Image"] == "$IMAGE" and overrides["ModelData"] == ""
    assert re.fullmatch("[0-9a-f]{64}", overrides["ModelSha256"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_dry_run_of_each_kind_names_parameters_that_the_template_has(
    kind: str, run: Callable[..., click.testing.Result], put: Callable[[str, int], None]
) -> None:
    put("sagemaker", 1)
    given = [word for name, value in {"Kind": kind, **KINDS[kind]}.items() for word in ("--set", f"{name}={value}")]
    result = run("deploy", "sagemaker", *given, "--dry-run")
    assert result.exit_code == 0, result.output
    line = result.stdout.splitlines()[-2]
    names = re.findall(r" (?:\")?([A-Z]\w+)=", line.partition("--parameter-overrides")[2])
    text = (FOLDER / "template.yaml").read_text()
    assert {"Kind", "Image", "ModelData", "ModelSha256"} <= {*names}
    assert [name for name in names if f"\n  {name}:\n    Type: " not in text] == []

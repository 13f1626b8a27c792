"""The AWS template as it is written, as AWS's own translator makes it, and as `sam` packages it: each made once."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.decode import cfn_yaml
from moto.server import ThreadedMotoServer

from tests.targets.aws.cloudformation import Stack, Template
from tests.targets.aws.sam import sam, translated
from tests.targets.handler_fixtures import load

__all__ = ["load"]
from tests.targets.handler import ROOT

FOLDER = ROOT / "infra" / "aws"
KEYS = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}


@pytest.fixture(scope="session")
def source() -> Template:
    """The template as it is written."""
    template: Template = json.loads(json.dumps(cfn_yaml.load(str(FOLDER / "template.yaml"))))
    return template


@pytest.fixture(scope="session")
def stack(source: Template, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """From parameters to what CloudFormation gets for them, its code in `s3://bucket/key`; the translator reads two of them."""

    @cache
    def template(read: tuple[tuple[str, str], ...]) -> Template:
        given = copy.deepcopy(source)
        given["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam package` writes it
        for name, value in read:
            given["Parameters"][name]["Default"] = value
        return translated(given, cwd=tmp_path_factory.mktemp("translated"))

    def made(**parameters: str) -> Stack:
        read = tuple((name, parameters[name]) for name in ("Rollout", "RoleArn") if name in parameters)
        return Stack(template(read), parameters)

    return made


@dataclass
class Cloud:
    """A moto server of its own, which has the folders that `sam package` uploaded."""

    endpoint: str

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        session = boto3.Session("anyone", "secret-of-the-tests", region_name="us-east-1")
        return session.client(service, endpoint_url=self.endpoint)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The server, with a bucket for uploads."""
    from moto import settings
    from moto.core.config import default_user_config

    assert not settings.TEST_SERVER_MODE
    kept = copy.deepcopy(default_user_config)
    default_user_config["lambda"] = {"use_docker": False}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        made = Cloud("http://{}:{}".format(*server.get_host_and_port()))
        made.client("s3").create_bucket(Bucket="uploads")
        yield made
    finally:
        server.stop()
        default_user_config.clear()
        default_user_config.update(kept)


@pytest.fixture(scope="session")
def packaged(cloud: Cloud, built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """From the architecture that `sam build` is told, or "" for no `sam build`, to the key that `sam package` uploaded."""

    @cache
    def key(architecture: str) -> str:
        place = tmp_path_factory.mktemp("packaged")
        shutil.copytree(FOLDER, place / "infra" / "aws")
        shutil.copytree(built("aws"), place / "build" / "aws")
        template = ["-t", "infra/aws/template.yaml"]
        if architecture:
            sam("build", *template, "--parameter-overrides", f"Architecture={architecture}", cwd=place)
            template = ["-t", ".aws-sam/build/template.yaml"]
        to = ["--s3-bucket", "uploads", "--output-template-file", "packaged.json", "--use-json"]
        sam("package", *template, *to, cwd=place, AWS_ENDPOINT_URL=cloud.endpoint, **KEYS)
        document = json.loads((place / "packaged.json").read_text())
        return str(document["Resources"]["Function"]["Properties"]["CodeUri"]).removeprefix("s3://uploads/")

    return key

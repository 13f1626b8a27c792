"""A request to AWS is signed as the specification says."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyweight.toolkit.targets.aws.authorization import Signed
from tests.toolkit.deploying.signing import signature


@pytest.mark.parametrize(
    ("url", "service", "region"),
    [
        ("https://abc.execute-api.eu-west-1.amazonaws.com/predict", "execute-api", "eu-west-1"),
        ("https://abc.lambda-url.us-east-2.on.aws/predict", "lambda", "us-east-2"),
    ],
)
def test_a_signature_is_what_the_specification_says(url: str, service: str, region: str, here: Path) -> None:
    """Computed anew here, from the specification's own four steps."""
    body = b"a,b\n1,2\n"
    headers = Signed(url)("POST", url, body)
    assert headers["authorization"].endswith(f"Signature={signature('POST', url, body, headers['x-amz-date'], region, service)}")

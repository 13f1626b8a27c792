"""Our signatures are those of Amazon's own library, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as some

from flyweight.stores.s3_signing import Credentials, encoded, signed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+="
keys = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
secrets = some.text(LETTERS, min_size=1, max_size=60)
regions = some.sampled_from(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
hosts = some.sampled_from(["bucket.s3.eu-central-1.amazonaws.com", "127.0.0.1:5000", "store.example:8443"])
headers = some.fixed_dictionaries(
    {}, optional={"range": some.just("bytes=3-17"), "if-match": some.just('"d41d8cd98f00b204e9800998ecf8427e-3"')}
)
times = some.integers(0, 4_102_444_800)


@given(some.sampled_from(["GET", "HEAD"]), hosts, keys, headers, secrets, secrets, some.just("") | secrets, regions, times)
def test_signatures_are_those_of_botocore(
    method: str, host: str, key: str, extra: dict[str, str], name: str, secret: str, token: str, region: str, now: int
) -> None:
    path = encoded(f"/{key}")
    ours = signed(method, host, path, extra, Credentials(name, secret, token), region, now)
    request = AWSRequest(method, f"https://{host}{path}", headers={**extra, "host": host})
    moment = datetime.fromtimestamp(now, UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        S3SigV4Auth(TheirCredentials(name, secret, token or None), "s3", region).add_auth(request)
    theirs = {header.lower(): value for header, value in request.headers.items()}
    assert ours["authorization"] == theirs["Authorization".lower()]
    assert ours == {**theirs, "host": host}


@given(keys)
def test_a_path_is_encoded_as_botocore_encodes_keys(key: str) -> None:
    from botocore.utils import percent_encode

    assert encoded(key) == percent_encode(key, safe="/~")
    assert encoded(key).isascii() and encoded(key).isprintable() and " " not in encoded(key)

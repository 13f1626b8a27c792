"""A shard of moto's before the built function, read on from the first record that failed."""

from __future__ import annotations

from tests.serving.test_service import GENTOO
from tests.targets.aws.cloud import BODIES, VALID, Cloud, Shard, cloud

__all__ = ["cloud"]


def test_a_stream_goes_on_after_bad_records(cloud: Cloud) -> None:
    shard = Shard(cloud)
    sent = shard.send(BODIES)
    assert shard.poll() == len(BODIES)
    assert cloud.results() == sorted(sent[number] for number in VALID)
    assert sorted(letter["id"] for letter in cloud.letters()) == sorted({*sent} - {*cloud.results()})


def test_a_stream_stops_at_the_first_record_that_failed_and_goes_on_from_it(cloud: Cloud) -> None:
    shard = Shard(cloud)
    sent = shard.send(BODIES)
    cloud.proxy.fail("503", when=lambda seen: "PutItem" in seen.headers.get("x-amz-target", ""))
    assert shard.poll() == 0
    assert cloud.letters() == [], "a bad record behind it is not done either"
    cloud.proxy.fail("")
    assert shard.poll() == len(BODIES)
    assert cloud.results() == sorted(sent[number] for number in VALID)
    assert len(cloud.letters()) == len(BODIES) - len(VALID)


def test_a_function_killed_on_a_stream_repeats_the_batch_and_the_effect_is_there_once(cloud: Cloud) -> None:
    shard = Shard(cloud)
    sent = shard.send(BODIES)
    cloud.invoke({"instances": [GENTOO]})
    cloud.killing = 1
    assert shard.poll() == 0
    assert cloud.results()
    assert shard.poll() == len(BODIES)
    assert cloud.results() == sorted(sent[number] for number in VALID)

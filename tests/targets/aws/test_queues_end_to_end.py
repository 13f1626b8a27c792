"""A queue of moto's before the built function, and the function before a table: nothing is lost, each effect is there once."""

from __future__ import annotations

import pytest

from tests.serving.test_service import GENTOO
from tests.targets.aws.cloud import BAD, BODIES, GOOD, MOST, VALID, Cloud, Queue, cloud

__all__ = ["cloud"]


@pytest.fixture
def queue(cloud: Cloud) -> Queue:
    return Queue(cloud)


def assert_done(cloud: Cloud, queue: Queue, sent: list[str]) -> None:
    """Nothing is left; each valid message's effect has landed once, each bad one is a dead letter with its reason."""
    assert queue.left() == 0
    assert cloud.results() == sorted(sent[number] for number in VALID)
    letters = {letter["id"]: letter for letter in cloud.letters()}
    assert {*letters} == {*sent} - {*cloud.results()}
    assert {letter["problem"]["status"] for letter in letters.values()} == {400, 422}
    assert {letter["body"] for letter in letters.values()} == {BAD, "{"}


def test_a_queue_is_emptied_and_bad_messages_are_dead_letters_with_their_reason(cloud: Cloud, queue: Queue) -> None:
    sent = queue.send(BODIES)
    assert sorted(queue.poll()) == sorted(sent)
    assert_done(cloud, queue, sent)
    (row,) = [item for item in cloud.dynamodb.scan(TableName="results")["Items"] if item["id"]["S"] == sent[4]]
    assert row["predictions"] == {"L": [{"S": "Gentoo"}, {"S": "Gentoo"}]}
    assert row["model"] == {"M": {"name": {"S": "penguins"}, "version": {"S": "1.0.0"}}}


def test_after_a_kill_before_the_acknowledgement_the_effect_is_there_once(cloud: Cloud, queue: Queue) -> None:
    sent = queue.send(BODIES)
    cloud.invoke({"instances": [GENTOO]})  # started, so that there is a process to kill
    cloud.killing = 1
    assert queue.poll() == []
    assert cloud.results(), "nothing had landed when it was killed"
    queue.poll()
    assert_done(cloud, queue, sent)


def test_a_message_that_is_delivered_twice_has_its_effect_once(cloud: Cloud, queue: Queue) -> None:
    (sent,) = queue.send([GOOD])
    (message,) = cloud.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0, AttributeNames=["All"])["Messages"]
    assert cloud.invoke(queue.event([message, message])) == {"batchItemFailures": []}
    assert queue.poll() == [sent]
    assert cloud.results() == [sent]


def test_messages_are_delivered_again_while_a_sink_throttles(cloud: Cloud, queue: Queue) -> None:
    sent = queue.send(BODIES)
    cloud.proxy.fail("503", when=lambda seen: "PutItem" in seen.headers.get("x-amz-target", ""))
    assert len(queue.poll()) == 2, "the bad ones alone are done"
    cloud.proxy.fail("")
    queue.poll()
    assert_done(cloud, queue, sent)


def test_a_sink_that_loses_an_answer_has_the_effect_once(cloud: Cloud, queue: Queue) -> None:
    """The write is done and the client tries again, on its own."""
    sent = queue.send(BODIES)
    cloud.proxy.fail("lost", times=2, when=lambda seen: "PutItem" in seen.headers.get("x-amz-target", ""))
    queue.poll()
    queue.poll()
    assert_done(cloud, queue, sent)


def test_messages_that_fail_for_good_end_in_the_queues_own_dead_letter_queue_whole(cloud: Cloud, queue: Queue) -> None:
    sent = queue.send(BODIES)
    cloud.proxy.fail("503")
    for _ in range(MOST + 1):
        assert queue.poll() == []
    assert queue.left() == 0
    assert sorted(message["MessageId"] for message in cloud.received(queue.dead)) == sorted(sent)


def test_a_fifo_group_waits_for_its_first_failed_message(cloud: Cloud) -> None:
    queue = Queue(cloud, ".fifo")
    first = queue.send([GOOD], MessageGroupId="a", MessageDeduplicationId="1")
    rest = queue.send([GOOD], MessageGroupId="a", MessageDeduplicationId="2")
    other = queue.send([GOOD], MessageGroupId="b", MessageDeduplicationId="3")
    cloud.proxy.fail("503", when=lambda seen: "PutItem" in seen.headers.get("x-amz-target", ""))
    queue.poll()
    assert cloud.results() == []
    cloud.proxy.fail("")
    while queue.left():
        assert queue.poll()
    assert cloud.results() == sorted([*first, *rest, *other])

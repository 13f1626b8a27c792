"""How many bytes reach a function on Lambda, and how many come back.

Synchronous and asynchronous invocations: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
Load balancers: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from typing import Any

SYNCHRONOUS = 6 * 1024 * 1024  # an API or a function URL in front carries more, or the same
ANSWER = SYNCHRONOUS + 100
STREAMED = 200_000_000  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html has 200 MB
ASYNCHRONOUS = LOAD_BALANCER = 1024 * 1024
REFUSAL = f"Exceeded maximum allowed payload size ({ANSWER} bytes)."  # as Lambda words it
SENDERS = ("aws:s3", "aws:sns", "aws:ses", "aws:codecommit")  # of records, which invoke a function and do not wait


def carrier(event: Any) -> tuple[str, int]:
    """Name what carries an event to the function, and the most bytes that it carries."""
    if not isinstance(event, dict):
        return "a synchronous invocation of Lambda", SYNCHRONOUS
    sender, records = event.get("requestContext"), event.get("Records")
    if isinstance(sender, dict) and "elb" in sender:
        return "a load balancer", LOAD_BALANCER
    first = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    if "detail-type" in event or (first.get("eventSource") or first.get("EventSource")) in SENDERS:
        return "an asynchronous invocation of Lambda", ASYNCHRONOUS
    return "a synchronous invocation of Lambda", SYNCHRONOUS

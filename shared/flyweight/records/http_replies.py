"""Reply to events that a sender posts by HTTP: the status says whether all is done, or whether it shall post them again."""

from flyweight import strict_json
from flyweight.errors import OK, problem, status_of
from flyweight.records import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyweight.records import Outcome

    Reply = tuple[bytes, int, Mapping[str, str]]  # body, status, headers


def answered(outcomes: "Sequence[Outcome]") -> "Reply":
    """Reply with the answers, and the status of an error if a record failed; a rejected record's answer is a problem document."""
    statuses = [status_of(outcome.error) for outcome in failed(outcomes) if outcome.error is not None]
    body = strict_json.encode([outcome.answer for outcome in outcomes])
    return body, max(statuses, default=OK), {"content-type": "application/json"}


def refused(error: Exception, request_id: str) -> "Reply":
    """Reply to an event that is not read at all with a problem document and its status."""
    return strict_json.encode(problem(error, request_id)), status_of(error), {"content-type": "application/problem+json"}

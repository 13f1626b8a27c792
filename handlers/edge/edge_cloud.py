"""Ask an endpoint in the cloud for the instances of which the device's own model is unsure.

An instance is unsure if the probability of its most probable class is below FLYWEIGHT_EDGE_CONFIDENCE. The answer then has
`answered_by`, with `edge` or `cloud` for each instance. Where the cloud can't be reached, the edge's own answer stays.
"""

from edge_forwarding import sent

from flyweight import strict_json
from flyweight.errors import OK, StoreFailed
from flyweight.stores import is_plain
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from server_http import Message

JSON = "application/json"
FIRST_WAIT, LAST_WAIT = 1.0, 60.0  # seconds for which the cloud is not asked again after it was silent
MOST = 64 << 20  # bytes of an answer
HEADER = "x-flyweight-answered-by"


class Cloud:
    """An endpoint with a larger model of the same signature.

    :param url: of its predictions, as https://models.example.com/predict.
    :param confidence: from 0 to 1.
    :param seconds: for which its answer is waited for.
    :param steady: a clock that nobody sets, in seconds.
    :raises StoreFailed: plain http to another machine.
    """

    def __init__(self, url: str, confidence: float, seconds: float, token: str, steady: "Callable[[], float]") -> None:
        is_plain(url)
        self._url, self._confidence, self._seconds, self._steady = url, confidence, seconds, steady
        self._headers = {"content-type": JSON, "accept": JSON} | ({"authorization": f"Bearer {token}"} if token else {})
        self._wait, self._not_before = FIRST_WAIT, 0.0
        self.asked = self.answered = 0  # instances
        self.trouble = ""

    def improve(self, message: "Message", response: Response) -> Response:
        """Return the answer with the cloud's part for unsure instances; the same answer if there are none."""
        document = _document(response)
        unsure = _unsure(document, self._confidence)
        if not unsure:
            return response
        instances = _instances(message.body)
        if len(instances) != len(document["predictions"]):
            return response
        answer = self._ask([instances[position] for position in unsure])
        if answer is not None:
            answer = answer if _fits(answer, document, len(unsure)) else None
        sources = ["edge"] * len(instances)
        if answer is not None:
            for place, position in enumerate(unsure):
                sources[position] = "cloud"
                for field in ("predictions", "probabilities"):
                    document[field][position] = answer[field][place]
            document["cloud_model"] = answer.get("model")
            self.answered += len(unsure)
        document["answered_by"] = sources
        body = strict_json.encode(document)
        told = "cloud" if {*sources} == {"cloud"} else "edge, cloud" if "cloud" in sources else "edge; unsure"
        return Response(OK, {**response.headers, HEADER: told, "content-length": str(len(body))}, body)

    def _ask(self, instances: "list[Any]") -> "dict[str, Any] | None":
        """Get the cloud's answer; None if none exists in time. After a silence it is not asked for a while."""
        now = self._steady()
        if now < self._not_before:
            return None
        self.asked += len(instances)
        try:
            status, body = sent(
                "POST", self._url, strict_json.encode({"instances": instances}), self._headers, self._seconds, MOST, whole=True
            )
            answer = strict_json.parse(body) if status == str(OK) else None
            self.trouble = "" if answer is not None else f"the cloud answers {status}"
        except (StoreFailed, ValueError) as error:
            answer, self.trouble = None, str(error)
        if answer is None:
            self._not_before, self._wait = now + self._wait, min(2 * self._wait, LAST_WAIT)
        else:
            self._wait = FIRST_WAIT
        return answer if isinstance(answer, dict) else None


def _document(response: Response) -> "dict[str, Any]":
    """Read a plain answer in JSON that has one row of probabilities for each prediction; {} for any other."""
    headers = response.headers
    if response.status != OK or headers.get("content-encoding") or not headers.get("content-type", "").startswith(JSON):
        return {}
    document = strict_json.parse(response.body)
    return document if isinstance(document, dict) else {}


def _unsure(document: "Mapping[str, Any]", confidence: float) -> "list[int]":
    """List the positions of the instances of which the model is unsure."""
    rows, predictions = document.get("probabilities"), document.get("predictions")
    if not isinstance(rows, list) or not isinstance(predictions, list):
        return []
    flat = [isinstance(row, list) and row and not isinstance(row[0], list) for row in rows]
    # null stands for a probability that is no number: nothing is sure then
    return [place for place, row in enumerate(rows) if flat[place] and (None in row or max(row) < confidence)]


def _instances(body: bytes) -> "list[Any]":
    """Read the instances of a request; [] if it is not one of the native protocol."""
    try:
        document = strict_json.parse(body)
    except ValueError:
        return []
    found = document.get("instances") if isinstance(document, dict) else document
    return found if isinstance(found, list) else []


def _fits(answer: "Mapping[str, Any]", document: "Mapping[str, Any]", count: int) -> bool:
    """Tell whether an answer has the same classes in the same order, and for each instance one of them with probabilities."""
    labels, rows, classes = (answer.get(field) for field in ("predictions", "probabilities", "classes"))
    if not (isinstance(labels, list) and isinstance(rows, list) and len(labels) == len(rows) == count):
        return False
    if not isinstance(classes, list) or classes != document.get("classes"):
        return False
    shares = [isinstance(row, list) and len(row) == len(classes) and {*map(type, row)} <= {float, int} for row in rows]
    return all(shares) and all([label in classes for label in labels])

"""Say what carries an answer from a Cloud Run function to its caller, and how much of it.

https://cloud.google.com/functions/quotas (32 MB; functions of the first generation: 10 MB)
"""

from flyweight.serving.delivery import Carrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    import flask


def carrier(request: "flask.Request") -> Carrier:
    """Find what carries the answer to a request."""
    return Carrier("Cloud Run", 32 * 1024 * 1024)

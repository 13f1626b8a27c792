"""Google's usual entry around a model: Flask reads the JSON, and writes the returned dict as JSON."""

from typing import Any

from model import answer


def predict(request: Any) -> dict[str, Any]:
    """Answer a Flask request."""
    return answer(request.get_json())

"""The entry of Azure ML's inference server: each worker calls `init` once, and `run` with each request of `/score`.

https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
"""

import os

from azure_ml_model import mounted
from azure_ml_request import decode, encode
from azureml_inference_server_http.api.aml_request import rawhttp  # type: ignore[import-not-found]

from flyweight.handler import bind
from flyweight.serving import logs
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import flask

answers: "list[Callable[[flask.Request], flask.Response]]" = []


def init() -> None:
    """Load the model."""
    folder, forked = os.path.dirname(os.path.abspath(__file__)), variable("WORKER_PRELOAD").lower() == "true"
    lines = {"": lambda: logs.line({})}
    answers.append(bind(decode, encode, folder=folder, model=mounted(), logs=lines, after_fork=forked))


@rawhttp  # type: ignore[untyped-decorator]
def run(request: "flask.Request") -> "flask.Response":
    """Answer one request, with the status and the body that the model's own server gives."""
    return answers[0](request)

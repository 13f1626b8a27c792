"""Run Google's functions-framework with gunicorn over plain HTTP, as Cloud Run functions do."""

from collections.abc import Mapping

from flyweight.toolkit.targets.http_runtime import HttpRuntime, first_child

ENTRY = "predict"
IDLE = """def predict(request):
    return "{}", 200, {"content-type": "application/json"}
"""


class Runtime(HttpRuntime):
    """A folder with `main.py` and its function `predict`; an event is a plain request."""

    PACKAGES: tuple[str, ...] = ("functions-framework",)
    EXTRA = "gcp"
    EMPTY: Mapping[str, str] = {"main.py": IDLE}
    MAX_REQUEST = MAX_ANSWER = 32 * 1024 * 1024

    def command(self) -> list[str]:
        """Run the framework's command."""
        return [self.python, "-m", "functions_framework"]

    def variables(self) -> dict[str, str]:
        """Return the variables that the buildpack's image and Cloud Run set."""
        return {
            "FUNCTION_TARGET": ENTRY,
            "FUNCTION_SOURCE": str(self.folder / "main.py"),
            "FUNCTION_SIGNATURE_TYPE": "http",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "K_SERVICE": self.folder.name,
            "K_REVISION": f"{self.folder.name}-00001",
        }

    def answering_process(self) -> int:
        """Return the id of the worker that gunicorn's master has forked."""
        return first_child(super().answering_process())

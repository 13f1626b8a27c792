"""Run a built folder as Vertex AI runs its container: the image's command with the variables that the platform sets."""

from flyweight.toolkit.targets.served_runtime import ServedRuntime

# https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements: 1.5 MB of a shared public endpoint
PAYLOAD = 3 * (1 << 19)
ENDPOINT, DEPLOYED_MODEL = "1234567890123456789", "9876543210987654321"
HEALTH_ROUTE, PREDICT_ROUTE = "/vertex/ready", "/vertex/predict"  # as infra/vertex names them


class Runtime(ServedRuntime):
    """A folder of `flyweight build vertex`; an event is a plain request, as Vertex AI passes it on."""

    TARGET = "vertex"
    MAX_REQUEST = MAX_ANSWER = PAYLOAD

    def variables(self) -> dict[str, str]:
        """Return the image's variables, and those that Vertex AI sets for an endpoint."""
        image = {name: value for name, value in super().variables().items() if name != "PORT"}
        return {
            **image,
            "AIP_MODE": "PREDICTION",
            "AIP_MODE_VERSION": "1.0.0",
            "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
            "AIP_HTTP_PORT": str(self.port),
            "AIP_HEALTH_ROUTE": HEALTH_ROUTE,
            "AIP_PREDICT_ROUTE": PREDICT_ROUTE,
            "AIP_PROJECT_NUMBER": "123456789012",
            "AIP_ENDPOINT_ID": ENDPOINT,
            "AIP_MODEL_NAME": ENDPOINT,
            "AIP_DEPLOYED_MODEL_ID": DEPLOYED_MODEL,
            "AIP_VERSION_NAME": DEPLOYED_MODEL,
            "AIP_MACHINE_TYPE": "e2-standard-2",
            "AIP_ACCELERATOR_TYPE": "",
            "AIP_STORAGE_URI": "",
        }

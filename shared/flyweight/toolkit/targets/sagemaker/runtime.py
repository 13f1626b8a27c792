"""Run a built folder as SageMaker runs its container: the image's command with the word `serve`."""

from flyweight.toolkit.targets.served_runtime import ServedRuntime

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html: "Length Constraints: Maximum length
# of 6291456" of a real-time request; the answer of an endpoint is as large at most
PAYLOAD = 6 * 1024 * 1024


class Runtime(ServedRuntime):
    """A folder of `flyweight build sagemaker`; an event is a plain request, as SageMaker passes it on.

    A model of its own is named by FLYWEIGHT_MODEL, as /opt/ml/model/model.safetensors where SageMaker unpacks model.tar.gz.
    """

    TARGET = "sagemaker"
    MAX_REQUEST = MAX_ANSWER = PAYLOAD

    def variables(self) -> dict[str, str]:
        """Return the image's variables, and the port by the variable that SageMaker sets for containers that take one."""
        variables = super().variables()
        return {**variables, "SAGEMAKER_BIND_TO_PORT": variables["PORT"]}

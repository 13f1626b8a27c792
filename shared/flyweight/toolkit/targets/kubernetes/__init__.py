"""A cluster of Kubernetes: our own HTTP server in plain Kubernetes, by Helm, as a Knative Service or under KServe."""

from flyweight.toolkit.targets import Target

TARGET = Target(
    title="Kubernetes", handler="server", protocols=("native", "kserve", "open_inference", "tensorflow_serving"), shares="docker"
)

"""A Vertex AI endpoint or batch prediction, and the legacy AI Platform: our own HTTP server in a custom container."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Vertex AI", cloud="gcp", handler="server", protocols=("vertex",), shares="docker")

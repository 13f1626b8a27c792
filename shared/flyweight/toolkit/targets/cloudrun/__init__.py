"""A Cloud Run service: our own HTTP server, without functions-framework."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Cloud Run", handler="cloudrun", cloud="gcp", shares="gcp")

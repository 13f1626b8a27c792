"""A container image that any engine, registry or platform takes: our own HTTP server with every protocol."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Docker", handler="server", protocols=("all",))

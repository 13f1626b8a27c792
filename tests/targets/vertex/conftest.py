"""The command line in a folder of its own, with stand-ins for the providers' tools."""

from tests.toolkit.deploying.fixtures import folders, here, port, printed, put, run, second, second_port, tools

__all__ = ["folders", "here", "port", "printed", "put", "run", "second", "second_port", "tools"]

"""A model and a provider's handler to the folder that the provider's own tool deploys as it is.

`folder.py` makes it, `bytecode.py` compiles it with the Python that will run it.
"""

from flyweight.toolkit.build.folder import BuildFailed, Built, build

__all__ = ["BuildFailed", "Built", "build"]

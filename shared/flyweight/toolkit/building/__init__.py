"""Build the folder that a target's own tool deploys, or a zip, a layer or an image's context.

`spec.py` checks a build, `assembly.py` assembles its files, and `folder.py` writes the result; `targets/` defines each layout.
"""

from flyweight.toolkit.building.folder import Built, build
from flyweight.toolkit.errors import BuildFailed

__all__ = ["BuildFailed", "Built", "build"]

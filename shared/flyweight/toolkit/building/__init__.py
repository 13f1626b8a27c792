"""A model and a target to the folder that the target's own tool deploys as it is, and a zip, layer or image of it.

`folder.py` makes it, of what `spec.py` has checked and `assembly.py` puts together; `targets/` says what each target wants.
"""

from flyweight.toolkit.building.folder import Built, build
from flyweight.toolkit.errors import BuildFailed

__all__ = ["BuildFailed", "Built", "build"]

"""A model and a provider's handler to the folder that the provider's own tool deploys as it is, and a zip, layer or image of it.

`folder.py` makes it, of what `order.py` has checked and `assembly.py` puts together; `targets/` says what each provider wants.
"""

from flyweight.toolkit.building.errors import BuildFailed
from flyweight.toolkit.building.folder import Built, build

__all__ = ["BuildFailed", "Built", "build"]

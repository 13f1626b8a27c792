"""A model and a provider's handler to the folder that the provider's own tool deploys as it is, and a zip, layer or image of it.

`folder.py` makes it, of what `order.py` has checked and `assembly.py` puts together; `targets/` says what each provider wants.
"""

from flyweight.toolkit.build.errors import BuildFailed
from flyweight.toolkit.build.folder import Built, build

__all__ = ["BuildFailed", "Built", "build"]

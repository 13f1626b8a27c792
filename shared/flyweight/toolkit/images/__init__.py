"""Container images without an engine: written as OCI layouts, pushed to and pulled from registries, signed and verified.

`layout.py` reads and writes layouts, `layers.py` writes our layers, `bases.py` reads the images below them, and `writer.py` puts
both together. `registry.py` talks to a registry, `transfer.py` copies images from and to it, and `cosign.py` signs them.
"""

from flyweight.toolkit.images.layout import ImageRefused, made_here
from flyweight.toolkit.images.writer import Contents, Written, write

__all__ = ["Contents", "ImageRefused", "Written", "made_here", "write"]

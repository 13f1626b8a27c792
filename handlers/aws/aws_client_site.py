"""Start Python without its module `site`, and run it when the first module is imported that is neither Python's nor flyweight's.

`site` adds `site-packages` to the path, reads its `.pth` files, and imports `os`: a seventh of the cold start of a small model.
A function's own code and installed packages find all of it done: https://docs.python.org/3/library/site.html
"""

import gc
import sys

from aws_client_environment import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def wait_for_site() -> None:
    """Run `site` when it is needed: this module waits among the finders for the first import that `site` may have to do with.

    The last finder is Python's own, which looks into the path.
    """
    sys.meta_path.insert(-1, sys.modules[__name__])


def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
    """Run `site` if a module is not of the standard library, and then find it as usual."""
    if path is not None or name in sys.stdlib_module_names:
        return None
    sys.meta_path.remove(sys.modules[__name__])
    run_site()
    for finder in [*sys.meta_path]:
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def run_site() -> None:
    """Do what Python does at its start without `-S`; modules of the platform's own client stay the last on the path."""
    import site

    last = [sys.path.pop()] if sys.path[-1] == variable("LAMBDA_RUNTIME_DIR") else []
    site.main()
    sys.path += [place for place in last if place not in sys.path]
    end_loading()


def end_loading() -> None:
    """Let the collector of garbage run again, which `aws_client_start` turned off; what is loaded counts as old.

    To check it would take a tenth of a cold start, and to find nothing: modules and models stay.
    """
    gc.freeze()
    gc.unfreeze()  # to the oldest objects, which are checked last
    gc.enable()

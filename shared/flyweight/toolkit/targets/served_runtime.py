"""Run a built folder as its container does: the command and the variables of its image, over plain HTTP on this machine alone."""

from pathlib import Path

from flyweight.toolkit import targets
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.http_runtime import IDLE, HttpRuntime
from flyweight.toolkit.targets.package import Image
from flyweight.toolkit.targets.runtime import Runtime


class ServedRuntime(HttpRuntime):
    """A folder whose target has an image; `TARGET` is the target's name."""

    TARGET: str

    @classmethod
    def image(cls) -> Image:
        """Return what the target's image runs.

        :raises RuntimeFailed: the target has no image.
        """
        image = targets.find(cls.TARGET).package.image
        if image is None:
            raise RuntimeFailed(f"the target {cls.TARGET} has no image", f"write it in {targets.__name__}.{cls.TARGET}.package")
        return image

    @classmethod
    def empty(cls, folder: Path) -> type[Runtime]:
        """Write a program that does nothing under the name of the image's own."""
        (folder / cls.image().command[-1]).write_text(IDLE, encoding="utf-8")
        return cls

    def command(self) -> list[str]:
        """Return the image's command line, with the interpreter of this runtime for that of the image."""
        program, *arguments = (*self.image().command, *self.image().arguments)
        return [self.python if program in Image.PYTHON else program, *arguments]

    def variables(self) -> dict[str, str]:
        """Return the image's variables, its port on this machine, and this machine's own address."""
        return {**self.image().variables, "PORT": str(self.port), "FLYWEIGHT_HOST": "127.0.0.1"}

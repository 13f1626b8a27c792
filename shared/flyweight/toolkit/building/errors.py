"""The one error of a build: what stood in the way, and what to do about it."""

from flyweight.errors import FlyweightError


class BuildFailed(FlyweightError):
    """A folder that can't be built; nothing was changed, and `next_step` says what to do."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step

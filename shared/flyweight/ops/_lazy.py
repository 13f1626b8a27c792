"""Compute an attribute when it is first read: `functools.cached_property` without an import that every cold start would make."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:
        """Replaces itself, in an instance, by the value of its method."""

        def __init__(self, compute):
            self._compute = compute
            self._name = compute.__name__
            self.__doc__ = compute.__doc__

        def __get__(self, instance, owner=None):
            """Compute the value and store it under the method's name."""
            if instance is None:
                return self
            value = instance.__dict__[self._name] = self._compute(instance)
            return value


__all__ = ["cached_property"]

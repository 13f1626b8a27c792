"""Run a step of the deployment's own: code that lies beside the handler in `flyweight_steps.py`, and never in a model file.

That module has a table `STEPS`: name -> (function, kinds). The function takes one instance's values as a list and returns a
list with one value for each letter of `kinds`: "n" a number (NaN where missing), "s" a string (None where missing).
"""

from flyweight.errors import Fault, InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MODULE = "flyweight_steps"

# Raised for values that a function was not written for; another error, as of a file that is not there, is not the caller's fault.
REFUSALS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Step:
    """The function `STEPS[step]`: the plan has the name, the deployment has the code.

    :raises ModelRefused: the deployment has no such module, or its table no such step.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        try:
            steps: dict[str, Any] = __import__(MODULE).STEPS
        except (ModuleNotFoundError, AttributeError):
            refused = node.refuse(f"it needs a step of your own: a module {MODULE} with a table STEPS, beside the handler")
            refused.next_step = "name it with --steps, as in `flyweight build ... --steps FILE`, which puts it there"
            raise refused from None
        node.only_input()
        self.name = node.choice("step", [*steps])
        self._function, self.kinds = steps[self.name]

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the function's answer.

        :raises InvalidInput: the function refuses the values: it raised one of `REFUSALS`, or InvalidInput itself.
        :raises TypeError: the answer is not what the table promises: a mistake of the deployment, not of the caller.
        """
        try:
            y = self._function(list(x))
        except REFUSALS as error:
            raise InvalidInput(
                Fault(f"values that the step {self.name!r} takes", f"{type(error).__name__}: {error}"[:200])
            ) from error
        if not isinstance(y, list) or len(y) != len(self.kinds):
            raise TypeError(f"the step {self.name!r} gave {y!r:.200}, expected a list of {len(self.kinds)}")
        return [float(v) if kind == "n" else v for v, kind in zip(y, self.kinds, strict=True)]


class DatedStep(Step):
    """A step some of whose columns, `dates`, are datetimes: the function gets `datetime.datetime`, None where one is missing.

    `zones` has one word a column of `dates`: "none" for a datetime without a zone, or "UTC".

    :raises ModelRefused: as for `Step`; or a column of `dates` is not of numbers, or `zones` has another word or length.
    """

    def __init__(self, node: "Node") -> None:
        from flyweight.models.datetimes import LIMIT, MICROSECOND, STARTS

        super().__init__(node)
        kinds = node.only_input()
        dates = node.positions("dates", len(kinds))
        node.expect(all(kinds[position] == "n" for position in dates), "takes datetimes, got strings or a sparse value")
        zones = node.items("zones", (str,), len(dates))
        node.expect({*zones} <= {*STARTS}, f"'zones' has a word that is not among {', '.join(STARTS)}")
        self._starts = [(position, STARTS[zone]) for position, zone in zip(dates, zones, strict=True)]
        self._limit, self._microsecond = LIMIT, MICROSECOND

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the function's answer.

        :raises InvalidInput: as for `Step`.
        :raises TypeError: as for `Step`.
        """
        x = [*x]
        for position, start in self._starts:
            v = x[position]
            x[position] = start + v * self._microsecond if abs(v) <= self._limit else None
        return super().row(x)


OPS = {"step": Step, "dated_step": DatedStep}

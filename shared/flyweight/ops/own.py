"""Run a step of the deployment's own: code that lies beside the handler in `flyweight_steps.py`, and never in a model file.

That module has a table `STEPS`: name -> (function, kinds). The function takes one instance's values as a list and returns a
list with one value for each letter of `kinds`: "n" a number (NaN where missing), "s" a string (None where missing).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MODULE = "flyweight_steps"


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
            refused.next_step = "name it before the verb, `flyweight --steps FILE build ...`, which puts it there"
            raise refused from None
        node.only_input()
        self._name = node.choice("step", [*steps])
        self._function, self.kinds = steps[self._name]

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the function's answer.

        :raises TypeError: the answer is not what the table promises: a mistake of the deployment, not of the caller.
        """
        y = self._function(list(x))
        if not isinstance(y, list) or len(y) != len(self.kinds):
            raise TypeError(f"the step {self._name!r} gave {y!r:.200}, expected a list of {len(self.kinds)}")
        return [float(v) if kind == "n" else v for v, kind in zip(y, self.kinds, strict=True)]


OPS = {"step": Step}

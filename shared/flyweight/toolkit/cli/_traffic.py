"""The options that say what a deployment has to do, shared by the verbs that reckon with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _show

if TYPE_CHECKING:
    from flyweight.toolkit.costs.measuring import Sized
    from flyweight.toolkit.costs.prices import Bill

UNITS = {"k": 1e3, "M": 1e6, "G": 1e9}


class Count(click.ParamType):  # type: ignore[type-arg]
    """A number, with k, M or G behind it for thousands, millions, milliards."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        text = str(value)
        try:
            number = float(text[:-1]) * UNITS[text[-1]] if text[-1:] in UNITS else float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e15:
            self.fail(f"expected a number like 500k, 2M or 1e6, got {text!r}", param, ctx)
        return number


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--model", required=True, help="The model file, or its address in a store."),
    click.option("--requests", default="1M", show_default=True, type=Count(), help="Requests a month: 500k, 2M, 1e9."),
    click.option("--rows", default=1, show_default=True, type=click.IntRange(1, 10_000), help="Rows of a request."),
    click.option("--peak", default=10.0, show_default=True, type=click.FloatRange(1), help="The busiest time, by the mean rate."),
    click.option("--cold", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="The share of cold starts."),
    click.option("--warm", default=0, show_default=True, type=click.IntRange(0, 1000), help="Instances that are kept warm."),
    click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Cold starts to measure here."),
    click.option("--repeat", default=200, show_default=True, type=click.IntRange(2), help="Warm calls to measure here."),
    click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON."),
)


def traffic(command: Callable[..., None]) -> Callable[..., None]:
    """The options, on a verb."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def figures(sized: Sized) -> dict[str, str | None]:
    """What was measured, for people."""
    taken = sized.measured
    return {
        "cold start": _show.milliseconds(taken.cold),
        **{f"  of it {step}": _show.milliseconds(spent) for step, spent in sized.split.items()},
        "warm, median": _show.milliseconds(taken.warm),
        "peak memory": _show.size(taken.memory),
        "folder": _show.size(taken.folder),
        "request, answer": f"{_show.size(sized.sent)}, {_show.size(sized.received)}",
    }


def arithmetic(bill: Bill) -> list[tuple[str, str, str]]:
    """The lines of a bill, for people."""
    lines = [(line.what, line.arithmetic, f"${line.amount:,.2f}") for line in bill.lines]
    return [*lines, ("in all", "", f"${bill.total:,.2f}")]

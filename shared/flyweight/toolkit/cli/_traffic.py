"""The options that say what a deployment has to do, shared by the verbs that reckon with it, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.prices import Bill
    from flyweight.toolkit.costs.workload import Workload

THOUSANDS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class Count(click.ParamType):  # type: ignore[type-arg]
    """A number, with k, M, G or T behind it for thousands, millions and so on."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        text = str(value)
        try:
            number = float(text[:-1]) * THOUSANDS[text[-1]] if text[-1:] in THOUSANDS else float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e15:
            self.fail(f"expected a number like 500k, 2M or 1e6, got {text!r}", param, ctx)
        return number


@dataclass(frozen=True)
class Traffic:
    """The options' values."""

    model: str
    requests: float
    rows: int
    peak: float
    cold: float
    warm: int
    request_size: float
    repeat: int
    runs: int
    as_json: bool

    def measured(self, target: str) -> Sized:
        """The model, measured here in a target's runtime.

        :raises Failed: there is no such file.
        """
        from flyweight.toolkit.costs.measurement import measured

        try:
            return measured(target, self.model, self.rows, self.runs, self.repeat)
        except FileNotFoundError:
            raise ToolkitError(
                f"there is no model {self.model}", "give a file that `flyweight pack` wrote, or its address"
            ) from None

    def workload(self, sized: Sized, **more: Any) -> Workload:
        """What was measured, with what is asked of it."""
        from flyweight.toolkit.costs.workload import Workload

        sent = int(self.request_size) or sized.sent
        asked = (self.requests, self.rows, self.peak, sent, sized.received)
        return Workload(sized.measured, *asked, cold_share=self.cold, warm_instances=self.warm, **more)


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--model", required=True, help="The model file, or its address in a store."),
    click.option("--requests", default="1M", show_default=True, type=Count(), help="Requests a month: 500k, 2M, 1e9."),
    click.option("--rows", default=1, show_default=True, type=click.IntRange(1, 10_000), help="Rows of a request."),
    click.option("--peak", default=10.0, show_default=True, type=click.FloatRange(1), help="The busiest time, by the mean rate."),
    click.option("--cold", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="The share of cold starts."),
    click.option("--warm", default=0, show_default=True, type=click.IntRange(0, 1000), help="Instances that are kept warm."),
    click.option("--request-size", default="0", type=Count(), help="Bytes of a request: 20M.  [default: measured]"),
    click.option("--repeat", default=200, show_default=True, type=click.IntRange(2), help="Warm calls to measure here."),
    click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Cold starts to measure here."),
    click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON."),
)


def traffic(command: Callable[..., None]) -> Callable[..., None]:
    """The options, on a verb, which takes them as one `traffic`."""

    @functools.wraps(command)
    def gathered(**values: Any) -> None:
        chosen = {one.name: values.pop(one.name) for one in fields(Traffic)}
        command(traffic=Traffic(**chosen), **values)

    for option in reversed(OPTIONS):
        gathered = option(gathered)
    return gathered


def figures(sized: Sized) -> dict[str, str | None]:
    """What was measured, for people."""
    taken = sized.measured
    return {
        "cold start": _show.milliseconds(taken.cold),
        **{f"  of it {step}": _show.milliseconds(spent) for step, spent in sized.split.items()},
        "warm, median": _show.milliseconds(taken.warm),
        "peak memory": _show.size(taken.memory),
        "model file": _show.size(sized.model) if sized.model else None,
        "folder": f"{_show.size(taken.folder)}" + (f", without packages: {sized.missing}" if sized.missing else ""),
        "request, answer": f"{_show.size(sized.sent)}, {_show.size(sized.received)}",
    }


def arithmetic(bill: Bill) -> list[tuple[str, str, str]]:
    """The lines of a bill, for people."""
    lines = [(line.what, line.arithmetic, f"${line.amount:,.2f}") for line in bill.lines]
    return [*lines, ("in all", "", f"${bill.total:,.2f}")]

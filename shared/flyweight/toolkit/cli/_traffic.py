"""The options that describe a model's traffic, shared by `plan` and `advise` as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from flyweight.toolkit.cli import _own_code, _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.costs.measurement import Sized
    from flyweight.toolkit.costs.prices import Bill
    from flyweight.toolkit.costs.runtimes import RuntimeFigures
    from flyweight.toolkit.costs.workload import Workload

THOUSANDS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class Count(click.ParamType):  # type: ignore[type-arg]
    """A number, optionally followed by k, M, G or T for 10^3, 10^6, 10^9 or 10^12."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse the number."""
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

    def measured(self, target: str, client: str = "platform") -> Sized:
        """Measure the model on this machine in a target's runtime.

        :param client: what runs the function, one of the runtime's `CLIENTS`.
        :raises Failed: the file does not exist.
        """
        from flyweight.toolkit.costs.measurement import measured

        with self._found():
            return measured(target, self.model, self.rows, self.runs, self.repeat, client)

    def measured_in(self, names: list[str]) -> list[RuntimeFigures]:
        """Measure the model on this machine in the runtimes of several targets, and name each on the error stream.

        :raises Failed: the file does not exist.
        """
        from flyweight.toolkit.costs.runtimes import measured_in

        with self._found():
            return measured_in(names, self.model, self.rows, self.runs, self.repeat, _announce)

    def workload(self, sized: Sized, **more: Any) -> Workload:
        """Combine the measurement with the traffic."""
        from flyweight.toolkit.costs.workload import Workload

        sent = int(self.request_size) or sized.sent
        traffic = (self.requests, self.rows, self.peak, sent, sized.received)
        return Workload(sized.measured, *traffic, cold_share=self.cold, warm_instances=self.warm, **more)

    @contextmanager
    def _found(self) -> Iterator[None]:
        """Say which model is missing.

        :raises ToolkitError: the file does not exist.
        """
        try:
            yield
        except FileNotFoundError:
            raise ToolkitError(
                f"the model {self.model} does not exist", "give a file that `flyweight pack` wrote, or its address"
            ) from None


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--model", required=True, help="A model file, or its address in a store."),
    click.option("--requests", default="1M", show_default=True, type=Count(), help="Requests per month: 500k, 2M, 1e9."),
    click.option("--rows", default=1, show_default=True, type=click.IntRange(1, 10_000), help="Rows per request."),
    click.option("--peak", default=10.0, show_default=True, type=click.FloatRange(1), help="Peak rate divided by mean rate."),
    click.option(
        "--cold", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="Share of requests that meet a cold start."
    ),
    click.option("--warm", default=0, show_default=True, type=click.IntRange(0, 1000), help="Instances kept warm."),
    click.option("--request-size", default="0", type=Count(), help="Bytes per request: 20M.  [default: measured]"),
    click.option(
        "--repeat", default=200, show_default=True, type=click.IntRange(2), help="Warm calls to measure on this machine."
    ),
    click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Cold starts to measure on this machine."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)


def traffic(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a verb, as its one parameter `traffic`."""

    @functools.wraps(command)
    def gathered(**values: Any) -> None:
        chosen = {one.name: values.pop(one.name) for one in fields(Traffic)}
        command(traffic=Traffic(**chosen), **values)

    verb: Callable[..., None] = _own_code.options(gathered)
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


def _announce(names: str) -> None:
    click.echo(f"measuring: {names}", err=True)


def figures(sized: Sized) -> dict[str, str | None]:
    """List what was measured, as rows of a table."""
    taken = sized.measured
    return {
        "cold start": _show.milliseconds(taken.cold),
        **{f"  of it {step}": _show.milliseconds(spent) for step, spent in sized.split.items()},
        "warm, median": _show.milliseconds(taken.warm),
        "peak memory": _show.size(taken.memory),
        **sizes(sized),
    }


def sizes(sized: Sized) -> dict[str, str | None]:
    """List the sizes of the model and its requests, as rows of a table."""
    return {
        "model file": _show.size(sized.model) if sized.model else None,
        "folder": f"{_show.size(sized.measured.folder)}" + (f", without packages: {sized.missing}" if sized.missing else ""),
        "request, answer": f"{_show.size(sized.sent)}, {_show.size(sized.received)}",
    }


def arithmetic(bill: Bill) -> list[tuple[str, str, str]]:
    """List the lines of a bill and their total, as rows of a table."""
    lines = [(line.what, line.arithmetic, f"${line.amount:,.2f}") for line in bill.lines]
    return [*lines, ("total", "", f"${bill.total:,.2f}")]

"""The table of prices, read; and bills, which are amounts with the arithmetic that made them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flyweight.errors import FlyweightError

TABLE = Path(__file__).with_name("prices.json")
HOURS = 730  # of a month, as the providers' own calculators have it
SECONDS = HOURS * 3600
FOREVER = float("inf")


class Unpriced(FlyweightError):
    """A price that the table does not have, or that is none."""

    next_step = "see shared/flyweight/toolkit/costs/prices.json"


@dataclass(frozen=True)
class Price:
    """One price, or a free amount; `seen`: what was read of it, in its words, `seen_at` where, `by` whom, `date` when."""

    name: str
    value: float
    unit: str
    source: str
    seen: str = ""
    seen_at: str = ""
    by: str = ""
    date: str = ""
    note: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether it was read somewhere, and is not from memory."""
        return bool(self.seen)

    @property
    def mark(self) -> str:
        """What stands behind a figure that was not confirmed."""
        return "" if self.confirmed else " (unconfirmed)"


@dataclass(frozen=True)
class Line:
    """One line of a bill: dollars a month, and how they come about."""

    what: str
    amount: float
    arithmetic: str
    confirmed: bool = True


@dataclass(frozen=True)
class Bill:
    """What a month costs."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """Dollars a month."""
        return sum(line.amount for line in self.lines)

    @property
    def confirmed(self) -> bool:
        """Whether every price in it is."""
        return all(line.confirmed for line in self.lines)

    def document(self) -> dict[str, Any]:
        """The bill for JSON."""
        lines = [
            {"what": o.what, "dollars": round(o.amount, 4), "arithmetic": o.arithmetic, "confirmed": o.confirmed}
            for o in self.lines
        ]
        return {"dollars_a_month": round(self.total, 4), "confirmed": self.confirmed, "lines": lines}


@cache
def table() -> dict[str, Any]:
    """The whole file."""
    read: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return read


@cache
def price(name: str) -> Price:
    """The price of that name.

    :raises Unpriced: there is none.
    """
    found = table()["prices"].get(name)
    if found is None:
        raise Unpriced(f"there is no price {name!r}")
    return Price(name, **found)


def metered(what: str, amount: float, name: str, free: str = "") -> Line:
    """A line of so much at a price, after what is free."""
    rate = price(name)
    given = price(free) if free else None
    billed = max(amount - given.value, 0.0) if given else amount
    less = f" - {count(given.value)} free{given.mark}" if given else ""
    text = f"{f'({count(amount)}{less})' if less else count(amount)} x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, billed * rate.value, text, rate.confirmed and (given is None or given.confirmed))


def tiered(what: str, amount: float, tiers: Sequence[tuple[float, str]]) -> Line:
    """A line of so much at prices that change with the amount: each tier ends where it says."""
    texts: list[str] = []
    total, start, confirmed = 0.0, 0.0, True
    for end, name in tiers:
        part = min(amount, end) - start
        if part > 0 or not texts:
            rate = price(name)
            total, confirmed = total + max(part, 0.0) * rate.value, confirmed and rate.confirmed
            texts.append(f"{count(max(part, 0.0))} x {dollars(rate.value)}{rate.mark}")
        start = end
    return Line(what, total, " + ".join(texts), confirmed)


def hourly(what: str, amount: float, name: str) -> Line:
    """A line of what runs all month."""
    rate = price(name)
    text = f"{amount:g} x {HOURS} h x {dollars(rate.value)}{rate.mark} per {rate.unit}"
    return Line(what, amount * HOURS * rate.value, text, rate.confirmed)


def count(value: float) -> str:
    """An amount as people read it."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def dollars(value: float) -> str:
    """A price as people read it: never with an exponent."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return f"${value:.2f}" if len(text.partition(".")[2]) < 2 else f"${text}"

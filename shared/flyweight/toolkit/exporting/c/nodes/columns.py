"""C for `ops.columns`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def take(source: Source, step: Step, x: Value) -> Value:
    """Copy the columns of each kind."""
    return taken(source, x, step.node.positions("positions", len(x.kinds)))


def taken(source: Source, x: Value, positions: list[int]) -> Value:
    """Copy the columns at some positions."""
    kinds = "".join([x.kinds[position] for position in positions])
    made = []
    for strings, own in ((False, x.numbers), (True, x.strings)):
        places = [x.place(position) for position in positions if (x.kinds[position] == "s") is strings]
        if not places:
            made.append("" if strings or kinds else source.numbers(0))
            continue
        y = source.strings(len(places)) if strings else source.numbers(len(places))
        if places == [*range(places[0], places[0] + len(places))]:
            source.each(len(places), f"{y}[i] = {own}[{places[0]} + i];")
        else:
            source.each(len(places), f"{y}[i] = {own}[{source.array(places, 'whole')}[i]];")
        made.append(y)
    return Value(kinds, *made)


def join(source: Source, step: Step, *inputs: Value) -> Value:
    """Copy the columns of each kind, one input after the other."""
    kinds = "".join([x.kinds for x in inputs])
    made = []
    for strings in (False, True):
        width = kinds.count("s") if strings else len(kinds) - kinds.count("s")
        if not width:
            made.append("")
            continue
        y, start = source.strings(width) if strings else source.numbers(width), 0
        for x in inputs:
            own = x.kinds.count("s") if strings else len(x.kinds) - x.kinds.count("s")
            source.each(own, f"{y}[{start} + i] = {x.strings if strings else x.numbers}[i];")
            start += own
        made.append(y)
    return Value(kinds, *made)


NODES = {"take": take, "join": join}

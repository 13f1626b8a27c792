"""Print values on the terminal as JSON, tables, progress, durations and sizes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click


def document(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(title: str, rows: Mapping[str, Any]) -> None:
    """Print names and values as two columns; rows whose value is None are omitted."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")  # a truncated hash is useless
    for name, value in rows.items():
        if value is not None:
            grid.add_row(Text(name), Text(str(value)))  # Text: brackets in a value are not markup
    Console(soft_wrap=True).print(grid)


def columns(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*[Text(cell) for cell in row])
    Console(soft_wrap=True).print(grid)


@contextmanager
def progress(visible: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a transient progress bar on standard error; yields a function of (stage name, amount done, total amount)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not (visible and console.is_terminal)) as bar:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total or None)
            bar.update(tasks[stage], completed=done)

        yield advance


def milliseconds(seconds: float | None) -> str | None:
    """Format a duration in seconds as milliseconds."""
    return None if seconds is None else f"{1000 * seconds:.2f} ms"


def size(count: int | None) -> str | None:
    """Format a number of bytes as kB or MB."""
    if count is None:
        return None
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"

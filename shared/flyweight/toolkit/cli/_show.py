"""Print values on the terminal as JSON, tables, progress, durations and sizes."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

import click

ENDLESS = 100_000  # columns of what is no terminal
SECONDS = 3.0  # between two lines of progress


def document(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(title: str, rows: Mapping[str, Any]) -> None:
    """Print names and values as two columns; rows whose value is None are omitted."""
    _print(title, None, [(name, str(value)) for name, value in rows.items() if value is not None])


def columns(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header."""
    _print(title, header, rows)


def _print(title: str, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    """Print a table. On a terminal texts wrap between words, elsewhere nothing does; a word, as a hash, is never broken."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    lines = [*([header] if header else []), *rows]
    widths = [max(len(word) for word in ["", *" ".join(cells).split()]) for cells in zip(*lines, strict=True)]
    if header is None:
        widths[:1] = [max((len(row[0]) for row in rows), default=0)]  # a name is never wrapped
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=header is not None, pad_edge=False)
    for place, width in enumerate(widths):
        grid.add_column(header[place] if header else "", min_width=width)
    for row in rows:
        grid.add_row(*map(Text, row))  # Text: brackets in a value are not markup
    terminal, text = Console(), StringIO()
    width = max(terminal.width, sum(widths) + 3 * len(widths)) if terminal.is_terminal else ENDLESS
    Console(file=text, width=width, force_terminal=terminal.is_terminal).print(grid, soft_wrap=True)
    click.echo("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


@contextmanager
def progress(visible: bool) -> Iterator[Callable[..., None]]:
    """Show what is being done on standard error: a transient bar on a terminal, elsewhere a line every few seconds.

    :returns: a function of (stage name, amount done, total amount, further words or none); a total of 0 is unknown.
    """
    from rich.console import Console

    if not visible:
        yield lambda stage, done, total, words="": None
    elif (console := Console(stderr=True)).is_terminal:
        with _bar(console) as advance:
            yield advance
    else:
        with _lines() as advance:
            yield advance


@contextmanager
def _bar(console: Any) -> Iterator[Callable[..., None]]:
    """Show a bar for the stage that goes on."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    words = TextColumn("{task.fields[words]}")
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), words)
    with Progress(*parts, console=console, transient=True) as bar:
        now: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int, words: str = "") -> None:
            if stage not in now:
                for task in now.values():
                    bar.remove_task(task)
                now.clear()
                now[stage] = bar.add_task(stage, total=total or None, words=words)
            bar.update(now[stage], completed=done, words=words)

        yield advance


@contextmanager
def _lines() -> Iterator[Callable[..., None]]:
    """Print a line every `SECONDS` that says what goes on; what takes less time prints nothing."""
    began, finished = time.monotonic(), threading.Event()
    now: list[tuple[str, int, int, str]] = []

    def show() -> None:
        while not finished.wait(SECONDS):
            for stage, done, total, words in now:
                amount = (f", {done:,} of {total:,}" if total else "") + (f", {words}" if words else "")
                click.echo(f"{stage}{amount}, {time.monotonic() - began:.0f} s", err=True)

    def advance(stage: str, done: int, total: int, words: str = "") -> None:
        now[:] = [(stage, done, total, words)]

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield advance
    finally:
        finished.set()
        thread.join()


def milliseconds(seconds: float | None) -> str | None:
    """Format a duration in seconds as milliseconds."""
    return None if seconds is None else f"{1000 * seconds:.2f} ms"


def size(count: int | None) -> str | None:
    """Format a number of bytes as kB or MB."""
    if count is None:
        return None
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"

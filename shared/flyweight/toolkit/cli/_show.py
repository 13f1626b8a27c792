"""Documents and tables on the terminal: values in, text out."""

import json
from collections.abc import Mapping
from typing import Any

import click


def document(value: Any) -> None:
    """A value as JSON, for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(title: str, rows: Mapping[str, Any]) -> None:
    """Names and values as two columns, for people; rows whose value is None are left out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    for name, value in rows.items():
        if value is not None:
            grid.add_row(Text(name), Text(str(value)))  # Text: a value's brackets are no markup
    Console(soft_wrap=True).print(grid)


def milliseconds(seconds: float | None) -> str | None:
    """A duration as people read it."""
    return None if seconds is None else f"{1000 * seconds:.2f} ms"


def size(count: int | None) -> str | None:
    """A number of bytes as people read it."""
    if count is None:
        return None
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"

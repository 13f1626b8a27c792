"""A group of commands that suggests the nearest name for one that it does not have."""

from __future__ import annotations

from difflib import get_close_matches

import click


class SuggestingGroup(click.Group):
    """Refuses an unknown command with the most similar ones, or with all of them if none is similar."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = get_close_matches(name.lower(), known, n=2, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(known)}"
            ctx.fail(f"{ctx.command_path} has no command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

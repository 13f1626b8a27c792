"""The `flyweight` command. Each public module of this folder defines one verb, as its click `command`."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

try:
    import click
except ModuleNotFoundError:
    from flyweight.toolkit import installation

    sys.exit(f"error: the command line needs more than the core\nnext: {installation.command('toolkit')}")

from flyweight import __version__
from flyweight.errors import FlyweightError, ModelRefused


class Verbs(click.Group):
    """Lists the modules of this folder as verbs, imports only the verb that is called, and formats flyweight's errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs: the public modules of this folder."""
        return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb and return its command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Record whether the output, and so an error too, should be JSON."""
        ctx.meta[__name__] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; print an error that flyweight raised and exit with status 1, let any other error show its traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not _foreseen(error):
                raise
            _report(error, f"{ctx.command_path} {ctx.invoked_subcommand} --help", as_json=ctx.meta[__name__])
            ctx.exit(1)


def _foreseen(error: Exception) -> bool:
    ours = isinstance(error, FlyweightError) or type(error).__module__.startswith("flyweight.")
    return ours or (isinstance(error, OSError) and error.filename is not None)


def _report(error: Exception, usage: str, as_json: bool) -> None:
    message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
    otherwise = "give a file that `flyweight pack` wrote" if isinstance(error, ModelRefused) else f"see `{usage}`"
    next_step = getattr(error, "next_step", "") or otherwise
    if as_json:
        import json

        click.echo(json.dumps({"error": type(error).__name__, "message": message, "next_step": next_step}))
    else:
        click.echo(f"error: {message}\nnext: {next_step}", err=True)


@click.command(cls=Verbs)
@click.version_option(__version__, prog_name="flyweight")
@click.option("--steps", type=click.Path(), help="A Python file that defines your own steps (docs/your-own-step.md).")
@click.option("--import", "module", help="A Python module to import first; it may register conversions.")
def main(steps: str | None, module: str | None) -> None:
    """Deploy fitted light models as serverless functions that start as fast as an empty function."""
    if module:
        sys.path.insert(0, "")  # as `python -m` does: the module is usually in the working directory
        import_module(module)
    if steps:
        from flyweight.toolkit.packing.custom_steps import use

        use(steps)

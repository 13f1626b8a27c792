"""The `flyweight` command. One file a verb in this folder, each with its click `command`; a new file is a new verb."""

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
    """Finds verbs by listing this folder, imports only the one that is called, and says errors of ours in one way."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs: every module of this folder but the private ones."""
        return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of one verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether the answer, and so an error as well, should be JSON."""
        ctx.meta[__name__] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error that flyweight raised on purpose ends in words and exit status 1, any other in its traceback."""
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
@click.option("--steps", type=click.Path(), help="A Python file of steps of your own (docs/your-own-step.md).")
@click.option("--import", "module", help="A Python module to import first, for the conversions that it registers.")
def main(steps: str | None, module: str | None) -> None:
    """Fitted lightweight models as serverless functions that start as fast as an empty one."""
    if module:
        sys.path.insert(0, "")  # as `python -m` does: the module usually lies where one works
        import_module(module)
    if steps:
        from flyweight.toolkit.packing.custom_steps import use

        use(steps)

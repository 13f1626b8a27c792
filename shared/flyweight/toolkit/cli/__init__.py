"""The `flyweight` command. Each public module of this folder defines one verb, as its click `command`."""

import errno
import os
import sys
import warnings
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

try:
    import click
except ModuleNotFoundError:
    from flyweight.toolkit import installation

    sys.exit(f"error: the command line needs more than the core\nnext: {installation.command('toolkit')}")

from flyweight import __version__
from flyweight.errors import FlyweightError, ModelRefused, StoreFailed
from flyweight.toolkit.cli._group import SuggestingGroup

EXAMPLES = """\b
Examples, from a fitted estimator to an answer (docs/tutorial.md has the whole way):
  flyweight pack model.joblib --sample rows.csv -o model.safetensors
  flyweight predict model.safetensors rows.csv
  flyweight serve model.safetensors
  flyweight build aws --model model.safetensors -o build/aws
  flyweight invoke aws --folder build/aws
  flyweight deploy aws --folder build/aws --dry-run
"""


TRACEBACK = "FLYWEIGHT_TRACEBACK"
FAULT = 70  # the exit status of an error that is not foreseen, as in sysexits.h
NEXT_STEPS = {  # what to do about a file or folder that can't be used, by the number of the system's error
    errno.ENOENT: "check the path, and the folder that you are in",
    errno.EEXIST: "choose another path: a file of this name is there already",
    errno.EISDIR: "give a file, not a folder",
    errno.ENOTDIR: "check the path: one of its parts is a file, not a folder",
    errno.EACCES: "choose a place that you may use, or have its permissions changed",
    errno.EPERM: "choose a place that you may use, or have its permissions changed",
    errno.EROFS: "choose another place: this one can't be written to",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ENOSPC: "free some space, or choose another place",
}


class Verbs(SuggestingGroup):
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
        """Record whether the output, and so an error too, should be JSON, and the words, which may be run elsewhere again."""
        ctx.meta[__name__] = "--json" in args
        ctx.meta["flyweight.arguments"] = [*args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb, and print each error as a message with a next step.

        The exit status is 1 for an error that flyweight foresees, `FAULT` for any other. With the environment variable
        FLYWEIGHT_TRACEBACK=1 such another error shows its traceback. Warnings of libraries are silent, unless Python is asked for
        them (`python -W`, PYTHONWARNINGS).
        """
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            try:
                return super().invoke(ctx)
            except click.FileError as error:  # a file of answers, which is opened late
                _report(error.__cause__ or error, f"{ctx.command_path} {ctx.invoked_subcommand} --help", ctx.meta[__name__])
                ctx.exit(1)
            except click.ClickException as error:
                if not ctx.meta[__name__]:
                    raise
                called = getattr(error, "ctx", None) or ctx
                _print_json(type(error).__name__, error.format_message(), f"see `{called.command_path} --help`")
                ctx.exit(error.exit_code)
            except (click.Abort, click.exceptions.Exit, KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # a pickle may call `sys.exit`, and a panic of code in Rust is no Exception
                foreseen = _foreseen(error)
                if getattr(error, "errno", None) == errno.EPIPE or (not foreseen and os.environ.get(TRACEBACK) == "1"):
                    raise
                _report(error, f"{ctx.command_path} {ctx.invoked_subcommand} --help", as_json=ctx.meta[__name__])
                ctx.exit(1 if foreseen else FAULT)


def _foreseen(error: BaseException) -> bool:
    return isinstance(error, (OSError, MemoryError)) or _is_ours(error) or bool(_missing(error))


def _missing(error: BaseException) -> str:
    """Name the module of another package that is not installed; "" if the error is another one."""
    name = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    return "" if name.partition(".")[0] == "flyweight" else name


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, FlyweightError) or type(error).__module__.startswith("flyweight.")


def _report(error: BaseException, usage: str, as_json: bool) -> None:
    """Print an error.

    :param usage: the command that shows how the verb is called.
    """
    message = _message(error)
    otherwise = f"see `{usage}`"
    if isinstance(error, ModelRefused):
        otherwise = "give a file that `flyweight pack` wrote; an estimator is packed first: flyweight pack ESTIMATOR"
    elif isinstance(error, StoreFailed):
        otherwise = "check the address, the network and your credentials (docs/registry.md)"
    elif isinstance(error, MemoryError):
        otherwise = "close other programs, or run it where more memory is free"
    elif _missing(error):
        from flyweight.toolkit import installation

        otherwise = installation.bringing(_missing(error))
    elif isinstance(error, OSError) and error.filename is not None:
        otherwise = NEXT_STEPS.get(error.errno or 0, otherwise)
    elif not _foreseen(error):
        otherwise = f"this is a fault of flyweight or of a library: run it again with {TRACEBACK}=1, and report what it prints"
    next_step = getattr(error, "next_step", "") or otherwise
    if as_json:
        _print_json(type(error).__name__, message, next_step)
    else:
        click.echo(f"error: {message}\nnext: {next_step}", err=True)


def _print_json(name: str, message: str, next_step: str) -> None:
    """Print an error as JSON on standard output."""
    import json

    click.echo(json.dumps({"error": name, "message": message, "next_step": next_step}))


def _message(error: BaseException) -> str:
    """Say what an error is: flyweight's own in its words, another by its class and its first line."""
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        name = str(error.filename)
        name = name if len(name) <= 300 else f"{name[:100]}...{name[-100:]}"  # a name that is too long is such an error
        return what if error.filename is None else f"{name}: {what}"
    if _is_ours(error):
        return str(error)
    if _missing(error):
        return f"this needs the Python module {_missing(error)}, which is not installed here"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


@click.command(cls=Verbs, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="flyweight")
@click.option("--steps", type=click.Path(), help="A Python file that defines your own steps (docs/your-own-step.md).")
@click.option("--import", "module", help="A Python module to import first; it may register conversions.")
def main(steps: str | None, module: str | None) -> None:
    """Deploy fitted light models as serverless functions that start as fast as an empty function."""
    from flyweight.toolkit.cli import _own_code

    _own_code.bring(module)
    _own_code.use(steps)

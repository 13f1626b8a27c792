"""Print commands of other programs in shell syntax, and run them unless in a dry run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flyweight.toolkit.errors import CommandFailed


@dataclass(frozen=True)
class Command:
    """A program and its arguments.

    `cwd`: its working directory; `into`: the variable that stores its output, used by later commands as `$NAME`;
    `environ`: additional environment variables; `script`: for a script, the commands that it reports it runs.
    """

    words: tuple[str, ...]
    cwd: Path | None = None
    into: str = ""
    environ: tuple[tuple[str, str], ...] = ()
    script: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Format the command in shell syntax; for a script, the commands that it runs."""
        if self.script:
            return "\n".join(self.script)
        line = " ".join(f'"{word}"' if word.startswith("$") else shlex.quote(word) for word in self.words)
        line = f"(cd {shlex.quote(str(self.cwd))} && {line})" if self.cwd else line
        return f"{self.into}=$({line})" if self.into else line


def command(*words: str | Path, cwd: Path | None = None, into: str = "") -> Command:
    """Create a command from these words."""
    return Command(tuple(map(str, words)), cwd, into)


@dataclass
class Runner:
    """Prints each command with `show`, runs it unless this is a dry run, and stores the values of variables."""

    show: Callable[[str], None]
    dry_run: bool = False
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, commands: list[Command]) -> None:
        """Run commands one after another; their output is not captured.

        :raises CommandFailed: a command fails; the remaining ones are not run.
        """
        for one in commands:
            self.show(str(one))
            if self.dry_run:
                continue
            if one.into:
                self.variables[one.into] = self._output(one)
            else:
                done = self._start(one, stdout=sys.stderr.fileno() if _has_descriptor() else None)
                if done.returncode:
                    raise CommandFailed(f"`{one}` exited with status {done.returncode}", "correct the error above, and try again")

    def output(self, *commands: Command) -> str:
        """Run commands, and return the output of the last one; "" in a dry run.

        :raises CommandFailed: a command fails.
        """
        *before, last = commands
        self.run(before)
        self.show(str(last))
        return "" if self.dry_run else self._output(last)

    def complaint(self, one: Command) -> str:
        """Run a command that changes nothing, without printing it; return its error message, "" if it succeeds."""
        done = self._start(one, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode == 0:
            return ""
        lines = [line.strip() for line in str(done.stderr).splitlines() if line.strip()]
        wrong = [line for line in lines if line.startswith("ERROR")]  # advice may follow these lines
        return [*wrong[:1], *lines[-1:], f"it exited with status {done.returncode}"][0]

    def output_if_any(self, *commands: Command) -> str:
        """Run commands, and return the output of the last one, or "" if one fails because nothing is deployed yet."""
        try:
            return self.output(*commands)
        except CommandFailed:
            return ""

    def _output(self, one: Command) -> str:
        """Run a command and return what it prints.

        :raises CommandFailed: the command fails.
        """
        done = self._start(one, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            said = str(done.stderr).strip()[-500:]
            raise CommandFailed(f"`{one}` exited with status {done.returncode}: {said}")
        return str(done.stdout).strip()

    def _start(self, one: Command, stdout: int | None = None, stderr: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command.

        :raises CommandFailed: the program can't be started.
        """
        words = [self.variables.get(word[1:], "") if word.startswith("$") else word for word in one.words]
        words[0] = shutil.which(words[0]) or words[0]
        environ = {**os.environ, **dict(one.environ)}
        quiet = subprocess.DEVNULL
        try:
            return subprocess.run(words, cwd=one.cwd, env=environ, text=True, stdin=quiet, stdout=stdout, stderr=stderr)
        except OSError as error:
            raise CommandFailed(f"`{words[0]}` can't be started: {error.strerror}") from None


def output(one: Command) -> str:
    """Run one command without printing it, and return its output.

    :raises CommandFailed: the command fails.
    """
    return Runner(lambda line: None).output(one)


def script(path: Path, environ: Mapping[str, str], *options: str) -> Command:
    """Create the command of one of flyweight's scripts, whose `--dry-run` reports the commands that it runs with these variables.

    :raises CommandFailed: the script rejects the variables.
    """
    words = ("bash", str(path), *options)
    done = subprocess.run(
        ["bash", str(path), "--dry-run", *options], env={**os.environ, **environ}, capture_output=True, text=True
    )
    if done.returncode:
        raise CommandFailed(done.stderr.strip(), next_step=f"see the comment at the top of {path} for its variables")
    said = [shlex.split(line) for line in done.stdout.splitlines() if line.strip()]
    return Command(words, environ=tuple(environ.items()), script=tuple(str(command(*line)) for line in said))


def _has_descriptor() -> bool:
    try:
        sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    return True

"""Commands of other programs: shown as a shell would take them, then run, or only shown."""

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

    `cwd`: where it runs; `into`: the variable that its output goes to, for later commands to name as `$NAME`.
    `environ`: variables of its own; `script`: where it is a script, the lines that it says it runs.
    """

    words: tuple[str, ...]
    cwd: Path | None = None
    into: str = ""
    environ: tuple[tuple[str, str], ...] = ()
    script: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The line, as a shell takes it; of a script, the lines that it runs."""
        if self.script:
            return "\n".join(self.script)
        line = " ".join(f'"{word}"' if word.startswith("$") else shlex.quote(word) for word in self.words)
        line = f"(cd {shlex.quote(str(self.cwd))} && {line})" if self.cwd else line
        return f"{self.into}=$({line})" if self.into else line


def command(*words: str | Path, cwd: Path | None = None, into: str = "") -> Command:
    """A command of these words."""
    return Command(tuple(map(str, words)), cwd, into)


@dataclass
class Runner:
    """Shows each command by `show`, then runs it unless this is a dry run; remembers what went into variables."""

    show: Callable[[str], None]
    dry_run: bool = False
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, commands: list[Command]) -> None:
        """Run commands one after another; their output goes where ours goes.

        :raises CommandFailed: one ends with an error; the rest is not run.
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
                    raise CommandFailed(f"`{one}` ended with status {done.returncode}", "mend what it says above, and try again")

    def output(self, *commands: Command) -> str:
        """What the last of these commands prints; nothing in a dry run.

        :raises CommandFailed: one ends with an error.
        """
        *before, last = commands
        self.run(before)
        self.show(str(last))
        return "" if self.dry_run else self._output(last)

    def complaint(self, one: Command) -> str:
        """What a command says if it ends with an error, else ""; it is not shown, because it changes nothing."""
        done = self._start(one, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode == 0:
            return ""
        lines = [line.strip() for line in str(done.stderr).splitlines() if line.strip()]
        wrong = [line for line in lines if line.startswith("ERROR")]  # which advice may follow
        return [*wrong[:1], *lines[-1:], f"it ended with status {done.returncode}"][0]

    def output_if_any(self, *commands: Command) -> str:
        """What the last of these commands prints, or "" if one ends with an error: nothing may be there yet."""
        try:
            return self.output(*commands)
        except CommandFailed:
            return ""

    def _output(self, one: Command) -> str:
        """Run a command and return what it prints.

        :raises CommandFailed: the command ends with an error.
        """
        done = self._start(one, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            said = str(done.stderr).strip()[-500:]
            raise CommandFailed(f"`{one}` ended with status {done.returncode}: {said}")
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
    """Run one command without showing it, and return what it prints.

    :raises CommandFailed: it ends with an error.
    """
    return Runner(lambda line: None).output(one)


def script(path: Path, environ: Mapping[str, str], *options: str) -> Command:
    """A script of ours that says with `--dry-run` which commands it would run with these variables.

    :raises CommandFailed: the script refuses.
    """
    words = ("bash", str(path), *options)
    done = subprocess.run(
        ["bash", str(path), "--dry-run", *options], env={**os.environ, **environ}, capture_output=True, text=True
    )
    if done.returncode:
        raise CommandFailed(done.stderr.strip(), next_step=f"the head of {path} explains its variables")
    said = [shlex.split(line) for line in done.stdout.splitlines() if line.strip()]
    return Command(words, environ=tuple(environ.items()), script=tuple(str(command(*line)) for line in said))


def _has_descriptor() -> bool:
    try:
        sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    return True

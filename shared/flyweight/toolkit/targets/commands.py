"""Print commands of other programs in shell syntax, and run them unless in a dry run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flyweight.toolkit.errors import CommandFailed


class Expanded(str):
    """A word in which `$NAME` stands for the output of an earlier command; in every other word `$` is a letter like any other.

    Only code makes such words, out of its own constants: a word that a user gave is never expanded.
    """

    __slots__ = ()

    def written(self) -> str:
        """Write the word in shell syntax."""
        return '"' + re.sub(r'[\\"`]', r"\\\g<0>", self) + '"'

    def filled(self, variables: Mapping[str, str]) -> str:
        """Put the values of variables in their places."""
        return re.sub(r"\$([A-Z_]+)", lambda found: variables.get(found[1], ""), self)


@dataclass(frozen=True)
class Command:
    """A program and its arguments.

    `cwd`: its working directory; `into`: the variable that stores its output, used by later commands in words of the class
    `Expanded`; `environ`: additional environment variables; `script`: for a script, the lines that it reports it runs;
    `first_line`: whether only the first line of its output counts.
    """

    words: tuple[str, ...]
    cwd: Path | None = None
    into: str = ""
    environ: tuple[tuple[str, str], ...] = ()
    script: tuple[str, ...] = ()
    first_line: bool = False

    def __str__(self) -> str:
        """Format the command in shell syntax; for a script, the commands that it runs."""
        if self.script:
            return "\n".join(self.script)
        line = " ".join(word.written() if isinstance(word, Expanded) else shlex.quote(word) for word in self.words)
        line = f"{line} | head -n 1" if self.first_line else line
        line = f"(cd {shlex.quote(_path(self.cwd))} && {line})" if self.cwd else line
        return f"{self.into}=$({line})" if self.into else line


def command(*words: str | Path, cwd: Path | None = None, into: str = "") -> Command:
    """Create a command from these words."""
    return Command(tuple(word if isinstance(word, str) else str(word) for word in words), cwd, into)


def variable(name: str) -> Expanded:
    """Create the word that is the value of a variable."""
    return Expanded(f"${name}")


def _path(path: Path) -> str:
    """Write a path so that no program takes it for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


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
        said = str(done.stdout).strip()
        return said.partition("\n")[0].strip() if one.first_line else said

    def _start(self, one: Command, stdout: int | None = None, stderr: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command.

        :raises CommandFailed: the program can't be started.
        """
        words = [word.filled(self.variables) if isinstance(word, Expanded) else word for word in one.words]
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
    lines = [line.strip() for line in done.stdout.split("\n") if line.strip()]
    return Command(words, environ=tuple(environ.items()), script=tuple(map(_plainly_quoted, lines)))


def _plainly_quoted(line: str) -> str:
    """Quote a line of bash's `printf %q` as other lines are quoted.

    A line stays as it is with `$'...'`, which bash alone reads, and with a variable: NAME=$(...), or "$NAME" in a word.
    """
    stays = re.search(r"""\$'|^[A-Z_]+=\$\(|"\$[{A-Z_]""", line)
    return line if stays else shlex.join(shlex.split(line))


def _has_descriptor() -> bool:
    try:
        sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    return True

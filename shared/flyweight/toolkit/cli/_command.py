"""Commands of `flyweight` that its reports suggest, quoted as the shell of this system reads them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def line(*words: object) -> str:
    """Join the words of a command; a path below the working directory becomes a relative one."""
    texts = [_near(word) if isinstance(word, Path) else str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def loading(*words: object) -> str:
    """Join the words of a command that loads a model, with `--steps` if the user's own steps are in use."""
    custom_steps = sys.modules.get("flyweight.toolkit.packing.custom_steps")  # not loaded: no steps are in use
    own = custom_steps.source() if custom_steps else None
    return line(*words, *(["--steps", own] if own else []))


def _near(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)

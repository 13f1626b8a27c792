"""A model file to a user's own project around it: handlers, infrastructure, events and tests, which they own from then on.

`files.py` says what is in one, `project.py` writes it, and later brings it up to date without touching what they changed.
"""

from flyweight.toolkit.scaffold.project import Changes, ScaffoldFailed, create, upgrade

__all__ = ["Changes", "ScaffoldFailed", "create", "upgrade"]

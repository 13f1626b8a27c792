"""Create a project for a model file: functions, or an application of a web framework, which the user owns and may change.

`files.py` defines the project's files, `project.py` writes them, and upgrades them later without changing the user's edits.
"""

from flyweight.toolkit.scaffold.files import frameworks
from flyweight.toolkit.scaffold.project import Changes, ScaffoldFailed, create, upgrade

__all__ = ["Changes", "ScaffoldFailed", "create", "frameworks", "upgrade"]

"""A model as data: its file, its signature, the checks of what it takes."""

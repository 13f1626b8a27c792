"""The settings, the URLs and the entries of the project."""

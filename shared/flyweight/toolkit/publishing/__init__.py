"""Model files to a registry: push, promote, sign."""

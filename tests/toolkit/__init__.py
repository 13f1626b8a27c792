"""The toolkit's tests, one file a module."""

"""The laws of the folders, as tests."""

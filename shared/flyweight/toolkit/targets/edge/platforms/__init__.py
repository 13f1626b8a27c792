"""The ways to bring a folder to devices."""

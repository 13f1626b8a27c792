"""Exports to LiteRT, in float32; trees give the numbers of their leaves, and a table beside the file their values."""

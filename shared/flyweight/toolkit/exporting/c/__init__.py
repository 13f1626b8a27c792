"""Exports to C: one header of constants and a function."""

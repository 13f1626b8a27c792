"""Stores, against a real folder and real servers."""

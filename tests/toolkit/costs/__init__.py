"""Prices, plans and advice."""

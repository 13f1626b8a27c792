"""Deploying, and asking what is deployed."""

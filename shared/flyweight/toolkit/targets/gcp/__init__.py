"""Cloud Run functions."""

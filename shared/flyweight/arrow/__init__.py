"""Score Arrow's record batches: what every batch engine hands over and takes back."""

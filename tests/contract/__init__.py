"""One contract, kept by every provider."""

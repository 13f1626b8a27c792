"""Sample events: for a model of one's own, and as the providers send them."""

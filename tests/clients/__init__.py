"""Real clients of the protocols against our own server, each in an environment of its own."""

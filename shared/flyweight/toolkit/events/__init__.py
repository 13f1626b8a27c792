"""Sample events in the form in which providers send them, also with a payload for the user's own model."""

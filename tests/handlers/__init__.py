"""What is special about each provider's handler."""

"""Models mounted in web applications, asked by the clients of the frameworks."""

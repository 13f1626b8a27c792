"""A model as data: its file, its signature, and the validation of its inputs."""

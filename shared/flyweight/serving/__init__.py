"""A request's life: the service, its models, traffic and logs."""

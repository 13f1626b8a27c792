"""Kubernetes: manifests, charts and what runs them."""

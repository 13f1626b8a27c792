"""The places where a model is deployed, one folder each."""

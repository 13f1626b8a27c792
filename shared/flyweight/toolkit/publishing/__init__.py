"""Publishing: model files go into a registry; versions, aliases and digital signatures."""

"""Packing: fitted estimators and graphs become model files, each with a proof that it answers alike."""

"""Files in stores: read in batches, scored, and their answers written whole or not at all."""

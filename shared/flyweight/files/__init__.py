"""Files in stores: read in batches, scored, written whole."""

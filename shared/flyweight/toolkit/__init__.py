"""What never ships inside a function: packing, building, local running, the command line."""

"""The real parts that stores are tested against, and the faults that are put between."""

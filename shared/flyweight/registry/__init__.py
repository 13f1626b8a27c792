"""Models from stores: addresses, releases, verification, the disk cache."""

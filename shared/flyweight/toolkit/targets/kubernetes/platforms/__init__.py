"""Ways to run a model in a cluster, one file each with its `DEPLOYER`."""

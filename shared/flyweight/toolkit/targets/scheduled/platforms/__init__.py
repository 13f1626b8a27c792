"""Schedulers that start the job, one file each with its `DEPLOYER`."""

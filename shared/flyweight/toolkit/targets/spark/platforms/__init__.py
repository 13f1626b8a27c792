"""Places where the job runs, one file each with its `DEPLOYER`."""

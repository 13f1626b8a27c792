"""Static hosts that the folder of a page is copied to, one file each with its `DEPLOYER`."""

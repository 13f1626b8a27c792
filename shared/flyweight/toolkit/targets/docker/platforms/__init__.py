"""What runs an image, one module each with a `DEPLOYER`: `compose` on one machine, and the containers of the clouds."""

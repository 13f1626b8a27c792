"""The places of machines, one module each with a `DEPLOYER`: `none` for any machine, and the clouds."""

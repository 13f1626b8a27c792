"""What a deployment costs, how near it is to its limits, and which one suits: a model's figures and its traffic go in.

`prices.json` has every price with its source and date, `limits.json` every limit.
"""

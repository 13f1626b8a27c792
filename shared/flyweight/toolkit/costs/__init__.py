"""What a deployment costs, how near it is to its limits, and which one suits: a model's figures and its traffic go in.

What is known of one target, its bills and its tables of prices, limits and regions, stands in `toolkit/targets/NAME/costs.py` and
beside it; what many have in common stands here.
"""

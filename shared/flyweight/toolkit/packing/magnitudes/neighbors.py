"""Magnitudes of `ops.neighbors`."""

from __future__ import annotations

from flyweight.ops.neighbors import Mean, OutlierFactor


def mean(op: Mean, x: list[float]) -> list[float]:
    """Return the mean of the targets' absolute values, one an output."""
    weights, positions = op.weights(x)
    means = op.means(weights, [list(map(abs, op.targets[position])) for position in positions])
    return [0.0 if mean != mean else mean for mean in means]


def outlier_factor(op: OutlierFactor, x: list[float]) -> list[float]:
    """Return the score's own size: its terms have one sign."""
    (score,) = op.row(x)
    return [0.0 if score != score else abs(score)]


MAGNITUDES = {"mean": mean, "outlier_factor": outlier_factor}

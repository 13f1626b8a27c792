"""Magnitudes of `ops.sparse_kernels`."""

from __future__ import annotations

from flyweight.toolkit.packing.magnitudes.kernels import machine

MAGNITUDES = {"machine": machine}

"""ONNX for `ops.graphs`: a search for neighbors is not exact there, as for `ops.neighbors`."""

from __future__ import annotations

from flyweight.toolkit.exporting.onnx.nodes.neighbors import refused

NODES = {"edges": refused, "paths": refused, "barycenter": refused}

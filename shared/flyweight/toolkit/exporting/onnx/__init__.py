"""Exports to ONNX, in float64."""

"""From other formats to ONNX, and to bundles."""

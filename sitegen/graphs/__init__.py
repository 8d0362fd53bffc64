"""ONNX files: reading, running, naming and rewriting them."""

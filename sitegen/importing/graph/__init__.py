"""ONNX graphs of strangers: read as data, and changed by small passes into the graph of a bundle."""

"""TensorFlow.js graph models: read, translated to ONNX by one table, and run by NumPy for comparison."""

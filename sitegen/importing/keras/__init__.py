"""Models of Keras: read as data, laid out as steps, written as ONNX by one table, and run by NumPy for comparison."""

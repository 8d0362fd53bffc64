"""Pyodide and ONNX Runtime Web: pinned, fetched, and made into assets of a page."""

"""Everything sitegen computes on pixels and scores, in standard-library Python.

The same files run in CPython (training, `sitegen predict`, evaluation) and, through Pyodide, in the page: there is one
definition of every number. Nothing here imports `sitegen`, NumPy or anything outside the standard library.
"""

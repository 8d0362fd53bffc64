"""The page's own Python: the runtime as a wheel, wheels beside it, and its memory after start-up."""

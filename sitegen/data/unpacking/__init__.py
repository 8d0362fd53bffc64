"""Data sets that come as arrays, turned into image files."""

"""Data sets as they are published, each read by a reader of its own into the same records."""

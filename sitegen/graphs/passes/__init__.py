"""Rewriting graphs so that they run faster and compute the same; `table` has the passes, and who applies them."""

"""Verbs around a trained generator: drawing with it, reconstructing by it, giving it to a bundle."""

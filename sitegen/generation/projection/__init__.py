"""Reconstructing images with a generator: its latents are fitted, by PyTorch or by a graph with its gradient in it."""

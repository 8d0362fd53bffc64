"""Projection: the latent of a generator that comes nearest to an image, found step by step along the gradient."""

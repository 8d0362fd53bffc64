"""Adversarial changes of an image, found by following the gradient: what they do, and how they are asked for."""

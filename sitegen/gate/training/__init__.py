"""Fitting the networks that reconstruct images."""

"""Concepts: an autoencoder put into a trained classifier at one layer, and what its codes do to the findings."""

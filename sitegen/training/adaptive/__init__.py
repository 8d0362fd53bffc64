"""Adaptive discriminator augmentation (Karras et al. 2020b): changes that the discriminator sees, and how often."""

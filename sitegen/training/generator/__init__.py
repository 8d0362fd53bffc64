"""Training of StyleGAN2: its settings, its images, its losses, and the way from the first step to the best snapshot."""

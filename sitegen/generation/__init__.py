"""Drawing images with a trained generator: of seeds, or of latents that a projection found."""

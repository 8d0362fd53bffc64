"""StyleGAN2: a generator of images and the discriminator that it is trained against."""

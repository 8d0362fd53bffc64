"""What augmentation does to the images of a data set, as a picture."""

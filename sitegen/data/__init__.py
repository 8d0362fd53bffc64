"""Reading data sets: which images there are, and their tensors."""

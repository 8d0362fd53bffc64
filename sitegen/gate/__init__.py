"""The gate, which refuses images unlike the training images: its networks, the fitting of its scores, its graphs."""

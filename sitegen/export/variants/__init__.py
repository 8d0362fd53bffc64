"""Networks in a smaller form: weights with fewer bits, and classifiers that compute with whole numbers."""

"""Looking through a repository of images with a model's gate: one row an image, resumable, on one machine or many."""

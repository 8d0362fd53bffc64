"""How far generated images are from real ones, as a network sees them: Fréchet distance, precision, recall."""

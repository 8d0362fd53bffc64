"""That an imported model is what it was: its graphs beside the original, number by number."""

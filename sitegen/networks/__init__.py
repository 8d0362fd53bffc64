"""Network definitions in PyTorch, one a file."""

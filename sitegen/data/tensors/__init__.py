"""Image files as the tensors that networks take, made once and kept."""

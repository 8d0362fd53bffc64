"""The learning-rate range test: which rates a training may begin with."""

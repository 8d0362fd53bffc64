"""Studies of models, each with its document, its figures and its page."""

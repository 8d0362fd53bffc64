"""sitegen turns a trained medical-image classifier into a folder that anyone can open, offline."""

__version__ = "0.1.0"

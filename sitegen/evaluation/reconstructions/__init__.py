"""How far images are from their reconstructions: whole, within the body, and in the window where it is worst."""

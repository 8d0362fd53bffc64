"""The arithmetic of explanations: methods, grids, heat maps and their colours."""

"""The arithmetic of explanations: methods, heat maps and their colours."""

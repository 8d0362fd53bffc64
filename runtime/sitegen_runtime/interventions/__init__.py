"""Interventions: what the model would say if a part of the image were something else, and how much that changes it."""

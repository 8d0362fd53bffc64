"""Fitting reconstruction networks for the gate: what they are asked for, how, and how well they do."""

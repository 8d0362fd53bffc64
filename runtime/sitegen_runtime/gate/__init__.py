"""The arithmetic of the gate: scores, checks, and the decision that they make together."""

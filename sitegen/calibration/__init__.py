"""From logits to probabilities that can be believed: fitting what the runtime applies."""

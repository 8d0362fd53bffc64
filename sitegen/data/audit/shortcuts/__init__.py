"""How well each label is told by what is no anatomy: measured before a training, so that no network learns it."""

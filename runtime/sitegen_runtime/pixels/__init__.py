"""From decoded planes to the tensor that a network takes; and grids of numbers, made larger, smaller and smooth."""

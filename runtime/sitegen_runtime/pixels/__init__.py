"""From decoded planes to the tensor that a network takes."""

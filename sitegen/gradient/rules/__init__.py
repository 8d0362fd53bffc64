"""The rules, by kind of operator. Importing this room fills the table."""

from sitegen.gradient.rules import (
    activations,
    arithmetic,
    convolution,
    indexing,
    layout,
    linear,
    normalization,
    pooling,
    reductions,
    resize,
    slicing,
    softmax,
)
from sitegen.gradient.table import RULES

__all__ = [
    "RULES",
    "activations",
    "arithmetic",
    "convolution",
    "indexing",
    "layout",
    "linear",
    "normalization",
    "pooling",
    "reductions",
    "resize",
    "slicing",
    "softmax",
]

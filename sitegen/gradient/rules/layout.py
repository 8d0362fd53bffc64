"""Operators that move elements and change none: the way back moves them back, and adds where some were repeated."""

import numpy as np

from sitegen.gradient.node import Node
from sitegen.gradient.rules.maps import reshape_from
from sitegen.gradient.shapes import reduce, reshape_like, sum_to
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Dimension, Tensor, ints, op


@pullback("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(node: Node, g: Tensor) -> Tensor:
    """g in the shape of x"""
    return reshape_like(g, node.x)


@pullback("Transpose")
def transpose(node: Node, g: Tensor) -> Tensor:
    """g transposed by the inverse permutation"""
    if node.x.rank < 2:
        return g  # nor can an empty permutation be written
    order = node.get("perm") or list(range(node.x.rank))[::-1]
    return op("Transpose", g, perm=[int(axis) for axis in np.argsort(order)])


@pullback("Expand")
def expand(node: Node, g: Tensor) -> Tensor:
    """Σ g over what was repeated"""
    return sum_to(g, node.x, node.y)


@pullback("Tile")
def tile(node: Node, g: Tensor) -> Tensor:
    """Σ g over the copies"""
    repeats = node.constant(1, "repeats")
    split: list[Dimension] = []
    copies = []
    for size, count in zip(node.x.dims, [] if repeats is None else repeats.tolist(), strict=True):
        if count != 1:
            copies.append(len(split))
            split.append(count)
        split.append(size)
    if not copies:
        return g
    return reshape_like(reduce("ReduceSum", reshape_from(node, g, 0, split), copies), node.x)


@pullback("DepthToSpace")
def depth_to_space(node: Node, g: Tensor) -> Tensor:
    """g back from space to depth, in the same order of channels (DCR or CRD)

    Not by SpaceToDepth, which has one order only and no kernel for graphics cards.
    """
    block = node.get("blocksize")
    channels, height, width = node.sizes(node.x, [1, 2, 3])
    split = op("Reshape", g, ints(0, channels // block**2, height, block, width, block))
    order = [0, 3, 5, 1, 2, 4] if node.get("mode", "DCR") == "DCR" else [0, 1, 3, 5, 2, 4]
    return op("Reshape", op("Transpose", split, perm=order), ints(0, channels, height, width))


@pullback("SpaceToDepth")
def space_to_depth(node: Node, g: Tensor) -> Tensor:
    """g back from depth to space"""
    return op("DepthToSpace", g, blocksize=node.get("blocksize"))

"""Windows that move over an image: where convolutions and pooling read, and how to put gradients back there.

Output position o reads input positions o·stride + i·dilation − begin, i = 0 … kernel − 1, in each spatial dimension.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sitegen.gradient.node import Node
from sitegen.gradient.tensor import Tensor, ints, op

Offset = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """The geometry of a node's windows, one number for each spatial dimension.

    `read` is the size of what is read, `count` the number of windows. All else follows: auto_pad and ceil_mode are
    settled here.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begin: tuple[int, ...]
    read: tuple[int, ...]
    count: tuple[int, ...]

    @classmethod
    def of(cls, node: Node, kernel: Sequence[int], read: Tensor, made: Tensor, extra: Sequence[int] = ()) -> Window:
        """Return the windows of a node with which `made` has one position for each window over `read`.

        `extra` is what lies beyond the last window by output_padding, for auto_pad of transposed convolutions.
        """
        rank = len(kernel)
        strides = tuple(node.get("strides") or [1] * rank)
        dilations = tuple(node.get("dilations") or [1] * rank)
        sizes, count = node.sizes(read), node.sizes(made)
        begin = node.get("pads", [0] * 2 * rank)[:rank]
        mode = node.get("auto_pad", "NOTSET")
        if mode == "NOTSET" and node.get("output_shape"):
            mode = "SAME_LOWER"  # the rule for pads in the definition of ConvTranspose
        if mode in ("SAME_UPPER", "SAME_LOWER"):
            spans = [
                (n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(count, strides, dilations, kernel, strict=True)
            ]
            totals = [max(span + e - size, 0) for span, e, size in zip(spans, extra or [0] * rank, sizes, strict=True)]
            begin = [total // 2 if mode == "SAME_UPPER" else total - total // 2 for total in totals]
        elif mode == "VALID":
            begin = [0] * rank
        return cls(tuple(kernel), strides, dilations, tuple(begin), tuple(sizes), tuple(count))

    @property
    def span(self) -> tuple[int, ...]:
        """The size of one window, with its gaps."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilations, self.kernel, strict=True))

    @property
    def end(self) -> tuple[int, ...]:
        """How far the last window reaches beyond the end; negative where it leaves a rest unread."""
        geometry = zip(self.count, self.strides, self.span, self.read, self.begin, strict=True)
        return tuple((n - 1) * s + span - size - begin for n, s, span, size, begin in geometry)

    @property
    def pads(self) -> list[int]:
        """The attribute pads, without what lies beyond the last window."""
        return [*self.begin, *(max(end, 0) for end in self.end)]

    @property
    def rest(self) -> list[int]:
        """What no window reads, at the end."""
        return [max(-end, 0) for end in self.end]

    @property
    def offsets(self) -> Iterator[Offset]:
        """The positions in a window, row by row."""
        return itertools.product(*map(range, self.kernel))

    def view(self, padded: Tensor, offset: Offset) -> Tensor:
        """Return what all windows read at one of their positions: shape [N, C, *count]. `padded` has `pads` added."""
        starts = [i * d for i, d in zip(offset, self.dilations, strict=True)]
        ends = [start + (n - 1) * s + 1 for start, n, s in zip(starts, self.count, self.strides, strict=True)]
        axes = range(2, 2 + len(starts))
        return op("Slice", padded, ints(*starts), ints(*ends), ints(*axes), ints(*self.strides))

    def place(self, shares: Mapping[Offset, Tensor], channels: int) -> Tensor:
        """Add up, for every position of what was read, the shares [N, C, *count] that windows return to it.

        Positions that differ by whole strides form a phase; in a phase, shares are only shifted. The phases are then
        interleaved. All of it runs on graphics cards, which scattering does not.
        """
        shift = [(span - 1) // s for span, s in zip(self.span, self.strides, strict=True)]
        phases: dict[Offset, Tensor] = {}
        for offset, share in shares.items():
            steps = [i * d for i, d in zip(offset, self.dilations, strict=True)]
            before = [step // s for step, s in zip(steps, self.strides, strict=True)]
            after = [most - u for most, u in zip(shift, before, strict=True)]
            phase = tuple(step % s for step, s in zip(steps, self.strides, strict=True))
            moved = pad_spatial(share, before, after)
            phases[phase] = phases[phase] + moved if phase in phases else moved
        nothing = next(iter(phases.values())) * 0
        parts = [phases.get(phase, nothing) for phase in itertools.product(*map(range, self.strides))]
        sizes = [n + u for n, u in zip(self.count, shift, strict=True)]
        return self._cut(interleave(parts, self.strides, channels, sizes), sizes)

    def _cut(self, placed: Tensor, sizes: Sequence[int]) -> Tensor:
        """Take what was read out of a grid that begins `begin` before it."""
        have = [size * s for size, s in zip(sizes, self.strides, strict=True)]
        ends = [begin + size for begin, size in zip(self.begin, self.read, strict=True)]
        missing = [max(end - size, 0) for end, size in zip(ends, have, strict=True)]
        placed = pad_spatial(placed, [0] * len(ends), missing)
        if any(self.begin) or any(size > end for size, end in zip(have, ends, strict=True)):
            placed = op("Slice", placed, ints(*self.begin), ints(*ends), ints(*range(2, 2 + len(ends))))
        return placed


def pad_spatial(t: Tensor, before: Sequence[int], after: Sequence[int], value: float = 0) -> Tensor:
    """Return [N, C, ...] with a margin of `value` around the spatial dimensions."""
    if not any(before) and not any(after):
        return t
    return op("Pad", t, ints(0, 0, *before, 0, 0, *after), value)


def interleave(parts: Sequence[Tensor], strides: Sequence[int], channels: int, sizes: Sequence[int]) -> Tensor:
    """Return [N, C, size·stride, ...] where phase (a, b, ...) holds the part of that number, row by row."""
    if len(parts) == 1:
        return parts[0]
    if len(strides) == 2 and strides[0] == strides[1]:
        return op("DepthToSpace", op("Concat", *parts, axis=1), blocksize=strides[0])
    rank = len(strides)
    stacked = op("Concat", *(op("Unsqueeze", part, ints(1)) for part in parts), axis=1)
    split = op("Reshape", stacked, ints(0, *strides, channels, *sizes))
    order = [0, 1 + rank, *itertools.chain(*((2 + rank + axis, 1 + axis) for axis in range(rank)))]
    whole = (size * s for size, s in zip(sizes, strides, strict=True))
    return op("Reshape", op("Transpose", split, perm=order), ints(0, channels, *whole))

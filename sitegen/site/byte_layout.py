"""Weights that are whole numbers times scales, laid out for packing: a byte a number.

    uint32              how many runs there are
    3 uint32 a run      how many numbers it has, how many follow one another with one scale, how many scales it has
    float32             the scales of all runs
    int8 or float32     the numbers of one run after the other; a run of no scales has float32

All little-endian. Number i of a run is multiplied by its scale (i // following) % scales. Runs are the tensors of a
file, and what lies between them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sitegen.graphs.byte_weights import as_bytes, first_axis, worth_it
from sitegen.graphs.signature import StoredTensor


@dataclass(frozen=True)
class _Run:
    size: int
    following: int
    scales: bytes
    content: bytes


def bytes_of(weights: bytes, tensors: Iterable[StoredTensor]) -> bytes | None:
    """Return weights as described above; None where no tensor is made of whole numbers and scales."""
    if len(weights) % 4:
        return None
    runs = list(_runs(weights, sorted(tensors, key=lambda tensor: tensor.offset)))
    if not any(run.scales for run in runs):
        return None
    heads = [[run.size, run.following, len(run.scales) // 4] for run in runs]
    head = np.array([len(runs), *(number for each in heads for number in each)], "<u4").tobytes()
    return b"".join([head, *(run.scales for run in runs), *(run.content for run in runs)])


def _runs(weights: bytes, tensors: Sequence[StoredTensor]) -> Iterator[_Run]:
    """The tensors that are whole numbers, and all else as it is."""
    done = 0
    for tensor in tensors:
        found = _whole(weights, tensor) if tensor.offset >= done and tensor.offset % 4 == 0 else None
        if found:
            yield from _plain(weights[done : tensor.offset])
            yield found
            done = tensor.offset + 4 * found.size
    yield from _plain(weights[done:])


def _plain(content: bytes) -> Iterator[_Run]:
    if content:
        yield _Run(len(content) // 4, 1, b"", content)


def _whole(weights: bytes, tensor: StoredTensor) -> _Run | None:
    """A tensor as whole numbers, with its channels along one axis or another."""
    shape, size = tensor.shape, int(np.prod(tensor.shape))
    if not tensor.float32 or len(shape) < 2 or tensor.offset + 4 * size > len(weights):
        return None
    values = np.frombuffer(weights, "<f4", size, tensor.offset).reshape(shape)
    for axis in dict.fromkeys((first_axis(shape), len(shape) - 1)):
        if worth_it(shape, axis) and (found := as_bytes(values, axis)):
            whole, scales = found
            following = int(np.prod(shape[axis + 1 :]))
            return _Run(size, following, scales.astype("<f4").tobytes(), whole.tobytes())
    return None

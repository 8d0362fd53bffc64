"""Parts of random graphs for images: convolution, pooling, normalisation, resizing, and moving elements about."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from tests.helpers.gradient.compositions import Choose, Composition, Part


def _convolve(c: Composition, x: str, choose: Choose) -> str:
    channels, (kernel, stride) = c.shape(x)[1], choose([(1, 1), (3, 1), (3, 2), (2, 2)])
    groups = choose([1, channels])
    pad, made = kernel // 2, channels if groups > 1 else choose([2, 4])
    weights = c.random(made, channels // groups, kernel, kernel) / np.float32(kernel)
    return c.add(
        "Conv",
        lambda t, w, b: functional.conv2d(t, w, b, stride, pad, 1, groups),
        *(x, weights, c.random(made)),
        strides=[stride] * 2,
        pads=[pad] * 4,
        group=groups,
    )


def _convolve_transposed(c: Composition, x: str, choose: Choose) -> str:
    stride = choose([1, 2])
    weights = c.random(c.shape(x)[1], 2, 3, 3) / np.float32(3)
    return c.add(
        "ConvTranspose",
        lambda t, w: functional.conv_transpose2d(t, w, None, stride, 1, stride - 1),
        *(x, weights),
        strides=[stride] * 2,
        pads=[1] * 4,
        output_padding=[stride - 1] * 2,
    )


def _pool(c: Composition, x: str, choose: Choose) -> str | None:
    kernel, stride, pad = choose([(2, 2, 0), (3, 1, 1), (3, 2, 1), (2, 1, 0)])
    if min(c.shape(x)[2:]) < kernel:
        return None
    geometry = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
    if choose([True, False]):
        return c.add("MaxPool", lambda t: functional.max_pool2d(t, kernel, stride, pad), x, **geometry)
    counted = choose([0, 1])
    return c.add(
        "AveragePool",
        lambda t: functional.avg_pool2d(t, kernel, stride, pad, count_include_pad=bool(counted)),
        *(x,),
        count_include_pad=counted,
        **geometry,
    )


NORMALIZATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "BatchNormalization": lambda t, s, b, m, v: functional.batch_norm(t, m, v, s, b, eps=0.1),
    "GroupNormalization": lambda t, s, b: torch.group_norm(t, 1, s, b, 0.1),
    "InstanceNormalization": lambda t, s, b: torch.group_norm(t, len(s), s, b, 0.1),
    "LayerNormalization": lambda t, s, b: functional.layer_norm(t, s.shape, s, b, 0.1),
}


def _normalize(c: Composition, x: str, choose: Choose) -> str:
    operator = choose(sorted(NORMALIZATIONS))
    size = c.shape(x)[-1 if operator == "LayerNormalization" else 1]
    parameters = [c.random(size, low=0.5), c.random(size)]
    if operator == "BatchNormalization":
        parameters += [c.random(size), c.random(size, low=0.5)]
    rest = {"num_groups": 1} if operator == "GroupNormalization" else {}
    return c.add(operator, NORMALIZATIONS[operator], x, *parameters, epsilon=0.1, **rest)


def _resize(c: Composition, x: str, choose: Choose) -> str:
    mode, torch_mode = choose([("nearest", "nearest"), ("linear", "bilinear")])
    rest = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"} if mode == "nearest" else {}
    return c.add(
        "Resize",
        lambda t, _: functional.interpolate(t, scale_factor=2, mode=torch_mode),
        *(x, None, np.array([1, 1, 2, 2], np.float32)),
        mode=mode,
        **rest,
    )


def _join(c: Composition, x: str, choose: Choose) -> str:
    others = [t for t in c.tensors if (c.shape(t)[0], *c.shape(t)[2:]) == (c.shape(x)[0], *c.shape(x)[2:])]
    return c.add("Concat", lambda *parts: torch.cat(parts, 1), x, choose(others), choose(others), axis=1)


def _cut(c: Composition, x: str, choose: Choose) -> str | None:
    axis = choose([1, 2, 3])
    size = c.shape(x)[axis]
    if size < 3:
        return None
    start, end, step = choose([(0, -1, 1), (1, size, 1), (0, size, 2), (1, size, 2)])
    numbers = [np.array([number]) for number in (start, end, axis, step)]
    where = (*[slice(None)] * axis, slice(start, end, step))
    return c.add("Slice", lambda t, *_: t[where], x, *numbers)


def _pad(c: Composition, x: str, choose: Choose) -> str | None:
    """Not with zeros, which ONNX Runtime (1.31) moves into a MaxPool that follows: there they count for nothing."""
    mode = choose(["constant", "reflect", "edge"])
    if min(c.shape(x)[2:]) < 3:
        return None
    pads, value = np.array([0, 0, 1, 2, 0, 0, 0, 1]), np.array(0.5, np.float32)
    if mode == "constant":
        return c.add("Pad", lambda t, *_: functional.pad(t, (2, 1, 1, 0), value=0.5), x, pads, value)
    torch_mode = "replicate" if mode == "edge" else mode
    return c.add("Pad", lambda t, _: functional.pad(t, (2, 1, 1, 0), mode=torch_mode), x, pads, mode=mode)


def _split(c: Composition, x: str, choose: Choose) -> str | None:
    channels = c.shape(x)[1]
    if channels < 2:
        return None
    sizes = [1, channels - 1]
    first = c.add("Split", lambda t, _: tuple(t.split(sizes, 1)), x, np.array(sizes), axis=1)
    second = first[:-1] + "1"
    c.keep(first)
    return second if choose([True, False]) else c.add("Mul", torch.mul, first, second)


def _rearrange(c: Composition, x: str, choose: Choose) -> str | None:
    _, channels, height, width = c.shape(x)
    operator = choose(["Transpose", "Reshape", "DepthToSpace", "SpaceToDepth", "Unsqueeze"])
    if operator == "Transpose":
        order = choose([(0, 1, 3, 2), (0, 2, 3, 1)])
        return c.add(operator, lambda t: t.permute(order), x, perm=order)
    if operator == "Reshape":
        return c.add(operator, lambda t, _: t.reshape(-1, 1, height, channels * width), x, np.array([0, 1, height, -1]))
    if operator == "Unsqueeze":
        between = c.add(operator, lambda t, _: t.unsqueeze(2), x, np.array([2]))
        return c.add("Squeeze", lambda t, _: t.squeeze(2), between, np.array([-3]))
    if operator == "DepthToSpace" and channels % 4 == 0:
        return c.add(operator, lambda t: functional.pixel_shuffle(t, 2), x, blocksize=2, mode="CRD")
    if operator == "SpaceToDepth" and height % 2 == width % 2 == 0:
        return c.add(operator, _space_to_depth, x, blocksize=2)
    return None


def _space_to_depth(t: torch.Tensor) -> torch.Tensor:
    batch, channels, height, width = t.shape
    split = t.reshape(batch, channels, height // 2, 2, width // 2, 2)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height // 2, width // 2)


def _repeat(c: Composition, x: str, choose: Choose) -> str:
    operator, channels = choose(["Gather", "Tile", "Expand"]), c.shape(x)[1]
    if operator == "Gather":
        indices = c.rng.integers(-channels, channels, 3)
        return c.add(operator, lambda t, i: t[:, i], x, indices, axis=1)
    if operator == "Tile":
        return c.add(operator, lambda t, _: t.repeat(1, 1, 2, 1), x, np.array([1, 1, 2, 1]))
    narrow = c.add("ReduceMean", lambda t, _: t.mean(1, True), x, np.array([1]))
    return c.add(operator, lambda t, _: t.expand(-1, 3, -1, -1), narrow, np.array([1, 3, 1, 1]))


def _multiply_matrices(c: Composition, x: str, choose: Choose) -> str:
    if choose([True, False]):
        return c.add("MatMul", torch.matmul, x, c.random(c.shape(x)[3], 4))
    turned = c.add("Transpose", lambda t: t.transpose(2, 3), x, perm=[0, 1, 3, 2])
    return c.add("MatMul", torch.matmul, *choose([(x, turned), (turned, x)]))


IMAGE_PARTS: list[Part] = [
    _convolve,
    _convolve,
    _convolve_transposed,
    _pool,
    _pool,
    _normalize,
    _normalize,
    _resize,
    _join,
    _cut,
    _pad,
    _split,
    _rearrange,
    _rearrange,
    _repeat,
    _multiply_matrices,
]

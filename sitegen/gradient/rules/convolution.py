"""Convolutions of any rank.

With respect to its input, the gradient of a convolution is the transposed convolution with the same kernel, and the
other way round. Where the stride is 1 that is a convolution again, with the kernel's channels swapped and its axes
reversed, which engines run faster; they compute the new kernel from the shared weights when a session is created.
"""

from sitegen.gradient.node import Node
from sitegen.gradient.rules.windows import Window
from sitegen.gradient.shapes import reduce
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, op

_LEAST = -(2**31)


@pullback("Conv")
def convolution(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: ConvTranspose(g, W), or for stride 1 Conv(g, W swapped and reversed); W: x convolved with g; bias: Σ g"""
    x, kernel = node.x, node.input(1)
    window = Window.of(node, node.get("kernel_shape") or node.sizes(kernel), x, node.y)
    return [
        _to_input(node, g, window) if node.wants(0) else None,
        _to_kernel(node, x, g, window) if node.wants(1) else None,
        _to_bias(g, x.rank) if node.wants(2) else None,
    ]


@pullback("ConvTranspose")
def transposed_convolution(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: Conv(g, W); W: g convolved with x; bias: Σ g"""
    _check_size(node)
    x, kernel = node.x, node.input(1)
    extra = node.get("output_padding", [])
    window = Window.of(node, node.get("kernel_shape") or node.sizes(kernel), node.y, x, extra)
    return [
        _convolve(g, kernel, window, node.get("group", 1)) if node.wants(0) else None,
        _to_kernel(node, g, x, window) if node.wants(1) else None,
        _to_bias(g, x.rank) if node.wants(2) else None,
    ]


def _check_size(node: Node) -> None:
    """Raise GradientError where ONNX's shape inference and engines do not agree on the size of the output."""
    instead = "ONNX infers another size than engines compute; write it with pads and output_padding alone"
    size = node.get("output_shape")
    if size and list(node.y.dims[2:]) != list(size):
        raise node.unsupported(instead, "output_shape")
    if not size and node.get("auto_pad", "NOTSET").startswith("SAME") and any(node.get("output_padding", [])):
        raise node.unsupported(instead, "auto_pad")


def _to_input(node: Node, g: Tensor, window: Window) -> Tensor:
    kernel, groups = node.input(1), node.get("group", 1)
    margins = [d * (k - 1) for d, k in zip(window.dilations * 2, window.kernel * 2, strict=True)]
    pads = [margin - pad for margin, pad in zip(margins, (*window.begin, *window.end), strict=True)]
    if set(window.strides) == {1} and min(pads) >= 0:
        turned = _reverse(_swap_channels(node, kernel, groups), window.kernel)
        return op("Conv", g, turned, dilations=list(window.dilations), pads=pads, group=groups)
    return op(
        "ConvTranspose",
        g,
        kernel,
        strides=list(window.strides),
        dilations=list(window.dilations),
        pads=window.pads,
        output_padding=window.rest,
        group=groups,
    )


def _swap_channels(node: Node, kernel: Tensor, groups: int) -> Tensor:
    """[M, C/groups, ...] -> [C, M/groups, ...], group by group."""
    spatial = list(range(2, kernel.rank))
    if groups == 1:
        return op("Transpose", kernel, perm=[1, 0, *spatial])
    outputs, inputs, *sizes = node.sizes(kernel, range(kernel.rank))
    if inputs == 1 and outputs == groups:
        return kernel
    split = op("Reshape", kernel, ints(groups, outputs // groups, inputs, *sizes))
    swapped = op("Transpose", split, perm=[0, 2, 1, *(axis + 1 for axis in spatial)])
    return op("Reshape", swapped, ints(groups * inputs, outputs // groups, *sizes))


def _reverse(kernel: Tensor, sizes: tuple[int, ...]) -> Tensor:
    axes = [axis for axis, size in enumerate(sizes, 2) if size > 1]
    if not axes:
        return kernel
    count = len(axes)
    return op("Slice", kernel, ints(*[-1] * count), ints(*[_LEAST] * count), ints(*axes), ints(*[-1] * count))


def _convolve(data: Tensor, kernel: Tensor, window: Window, groups: int) -> Tensor:
    """Convolve over exactly the windows: what lies beyond the last is cut off, where it would make room for another."""
    if any(rest >= s for rest, s in zip(window.rest, window.strides, strict=True)):
        ends = [size - rest for size, rest in zip(window.read, window.rest, strict=True)]
        data = op("Slice", data, ints(*[0] * len(ends)), ints(*ends), ints(*range(2, 2 + len(ends))))
    strides, dilations = list(window.strides), list(window.dilations)
    return op("Conv", data, kernel, strides=strides, dilations=dilations, pads=window.pads, group=groups)


def _to_kernel(node: Node, data: Tensor, moved: Tensor, window: Window) -> Tensor:
    """W[m, c, i] = Σ over images and windows o of moved[m, o]·data[c, o·stride + i·dilation − begin].

    That is a convolution too: images take the place of channels, and stride and dilation change places. `data` is what
    the windows read, `moved` has one position for each of them.
    """
    groups, spatial = node.get("group", 1), list(range(2, node.x.rank))
    if groups == 1:
        images = op("Transpose", data, perm=[1, 0, *spatial])
    else:
        channels = node.sizes(node.input(1), [1])[0]
        split = op("Reshape", data, ints(0, groups, channels, *window.read))
        turned = op("Transpose", split, perm=[2, 1, 0, *(axis + 1 for axis in spatial)])
        images = op("Reshape", turned, ints(channels, -1, *window.read))
    weights = op("Transpose", moved, perm=[1, 0, *spatial])
    swapped = op(
        "Conv",
        images,
        weights,
        strides=list(window.dilations),
        dilations=list(window.strides),
        pads=window.pads,
        group=groups,
    )
    if any(rest >= d for rest, d in zip(window.rest, window.dilations, strict=True)):
        swapped = op("Slice", swapped, ints(*[0] * len(spatial)), ints(*window.kernel), ints(*spatial))
    return op("Transpose", swapped, perm=[1, 0, *spatial])


def _to_bias(g: Tensor, rank: int) -> Tensor:
    return reduce("ReduceSum", g, [0, *range(2, rank)], keepdims=False)

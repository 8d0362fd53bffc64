"""Layers of Keras that make an image of another size, in ONNX."""

import numpy as np

from sitegen.importing.keras.network import Layer, Step
from sitegen.importing.keras.rules import KerasWriter, checked, rule

_WAYS = {"nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}}
_WAYS["bilinear"] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


@rule("UpSampling2D")
def up_sampling(writer: KerasWriter, step: Step) -> None:
    """So many times the rows and columns: each pixel repeated, or bilinear between the centres of pixels."""
    way = step.layer.text("interpolation", "nearest")
    if way not in _WAYS:
        raise step.layer.unsupported(f"the interpolation {way!r} is not known")
    scales = writer.constant(np.array([1, 1, *step.layer.pair("size", 2)], np.float32), f"{step.name}/scales")
    writer.last(step, writer.write("Resize", [writer.first(step), "", scales], **_WAYS[way]))


@rule("Resizing")
def resizing(writer: KerasWriter, step: Step) -> None:
    """To a size that is stated, bilinear between the centres of pixels."""
    check_resizing(step.layer)
    (rows, _), (columns, _) = step.layer.pair("height", None), step.layer.pair("width", None)
    sizes = writer.constant([rows, columns], f"{step.name}/sizes")
    image = writer.first(step)
    whole = writer.write("Concat", [writer.write("Shape", [image], start=0, end=2), sizes], axis=0)
    writer.last(step, writer.write("Resize", [image, "", "", whole], **_WAYS["bilinear"]))


def check_resizing(layer: Layer) -> None:
    """Raise ModelError where a Resizing does more than to scale both sides bilinearly."""
    more = [key for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias") if layer.flag(key, False)]
    if more or layer.text("interpolation", "bilinear") != "bilinear":
        raise layer.unsupported(
            f"it resizes by {', '.join(more) or layer.text('interpolation', '')}; bilinear is known"
        )


@rule("Conv2DTranspose")
def transposed_convolution(writer: KerasWriter, step: Step) -> None:
    """A kernel [rows, columns, filters, channels], added to the result at each place of the input, in strides.

    "same" gives stride times the size: what is more is cut off, the odd one behind. "valid" gives all that is reached,
    and never less than stride times the size.
    """
    kernel = checked(step, "kernel", [*step.layer.pair("kernel_size", None), None, None])
    cut = cut_off(step, kernel.shape[:2])
    strides = step.layer.pair("strides")
    inputs = [writer.first(step), writer.weight(step, "kernel", kernel.transpose(3, 2, 0, 1))]
    if "bias" in step.weights:
        inputs.append(writer.weight(step, "bias", checked(step, "bias", [kernel.shape[2]])))
    added = [max(stride - span, 0) for stride, span in zip(strides, kernel.shape[:2], strict=True)]
    pads = [*(before for before, _ in cut), *(behind for _, behind in cut)]
    writer.last(step, writer.write("ConvTranspose", inputs, strides=strides, pads=pads, output_padding=added))


def cut_off(step: Step, size: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return how much a Conv2DTranspose cuts off before and behind, of rows and of columns. Raises ModelError."""
    layer = step.layer
    if layer.config.get("output_padding") is not None or layer.pair("dilation_rate") != (1, 1):
        raise layer.unsupported("it has an output_padding or a dilation_rate")
    if layer.text("padding", "valid") == "valid":
        return [(0, 0), (0, 0)]
    totals = [max(span - stride, 0) for span, stride in zip(size, layer.pair("strides"), strict=True)]
    return [(total // 2, total - total // 2) for total in totals]

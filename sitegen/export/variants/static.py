"""Classifiers that compute with whole numbers: quantised by ONNX Runtime's own quantiser, calibrated on images.

What is computed of an image gets 8 bits without a sign, weights 8 with one and a scale for each channel. Weights use 7
of the 8 bits: processors that add two products in 16 bits cannot overflow then, so that a page and every processor
come to the same numbers. A weight that is no kernel, such as those of normalisations, stays in float32.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray

from sitegen.errors import ExportError
from sitegen.graphs.files import INPUT, strip_traces

Images = NDArray[np.float32]
LEAST = 8
"""Images that calibrate: of fewer the ranges are those of these very images."""
_LEFT_OUT = ("BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization")
_GROUPED = (
    "{count} of the network's {all} convolutions are in groups, and in a page these are slower in whole numbers than "
    "in float32: MobileNets and EfficientNets take half as long again. Take int8 or half, which load as little."
)


def quantise(classifier: Path, images: Images, *, grouped: bool = False) -> int:
    """Replace a classifier's graph by one that computes with whole numbers, and return how many weights it has.

    Its weights are in the graph; the file that had them stays, for the gradient graphs. `images` float32
    [N, channels, side, side] are what it is calibrated on. Raises ExportError where the network gains nothing by it
    (unless `grouped`), where there are fewer than LEAST images, or where the quantiser fails.
    """
    if len(images) < LEAST:
        raise ExportError(f"{len(images)} images cannot calibrate a network: static-int8 needs {LEAST} at least.")
    model = onnx.load(str(classifier))
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    if (count := sum(_groups(node) > 1 for node in convolutions)) and not grouped:
        raise ExportError(_GROUPED.format(count=count, all=len(convolutions)))
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, str(given))
        _run_quantiser(given, made, images, sorted({node.op_type for node in model.graph.node} - {*_LEFT_OUT}))
        whole = onnx.load(str(made))
    strip_traces(whole)
    onnx.checker.check_model(whole, full_check=True)
    classifier.write_bytes(whole.SerializeToString(deterministic=True))
    kernels = [tensor for tensor in whole.graph.initializer if tensor.data_type == onnx.TensorProto.INT8]
    return sum(int(np.prod(tensor.dims)) for tensor in kernels if len(tensor.dims) > 1)  # vectors are zero points


def _run_quantiser(given: Path, made: Path, images: Images, operators: list[str]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Each(CalibrationDataReader):  # type: ignore[misc]
        """The images, one after the other."""

        def __init__(self) -> None:
            self._feeds: Iterator[dict[str, Images]] = iter([{INPUT: image[np.newaxis]} for image in images])

        def get_next(self) -> dict[str, Images] | None:
            """Return the next, None after the last."""
            return next(self._feeds, None)

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises to fold constants first, which exports and imports do
    try:
        quantize_static(
            str(given),
            str(made),
            Each(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operators,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    except Exception as error:  # its errors share no base class
        raise ExportError(
            f"ONNX Runtime's quantiser does not take this network: {error}. Take int8 or half."
        ) from error
    finally:
        root.setLevel(level)


def _groups(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)

"""PyTorch networks as ONNX graphs with their weights in one external file.

A graph has one image input of fixed shape and one output or more; fixed shapes let every engine plan its memory once.
The same network gives the same bytes: names are the exporter's, positions in source files and other traces of this
machine are removed.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import torch
from onnx import ModelProto
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from sitegen.graphs.files import INPUT, OPSET, save_with_weights, strip_traces
from sitegen.graphs.passes.table import BUNDLE, apply


def export_onnx(network: nn.Module, shape: Sequence[int], output: str | Sequence[str], path: Path) -> None:
    """Write `path` (.onnx) and the file of the same stem with `.weights`, replacing older ones.

    The graph takes "image", float32 of `shape` [1, C, H, W], and gives `output`, float32; a network that returns a
    tuple needs a name for each part. Batch normalisation is as in evaluation; what runs faster in another order, and
    comes to the same, is in that order (`sitegen.graphs.passes`). Raises what torch.onnx.export and onnx.checker
    raise.
    """
    network.eval()
    model = _exported(network, tuple(shape), (output,) if isinstance(output, str) else tuple(output))
    apply(BUNDLE, model)
    save_with_weights(model, path)


def _exported(network: nn.Module, shape: tuple[int, ...], outputs: tuple[str, ...]) -> ModelProto:
    """Return the graph of a network that takes an image, with its weights in it."""
    return exported(network, (torch.zeros(*shape),), (INPUT,), outputs)


def exported(
    network: nn.Module, examples: tuple[torch.Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> ModelProto:
    """Return the graph of a network that takes tensors of the examples' shapes, with its weights in it.

    Raises what torch.onnx.export raises.
    """
    network.eval()
    with _quiet(), sdpa_kernel(SDPBackend.MATH):  # attention in plain operators, which shapes can be followed through
        program = torch.onnx.export(
            network,
            examples,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model: ModelProto = program.model_proto
    strip_traces(model)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the exporter's prints, its warnings of its own deprecations, and of an absent torchvision."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)

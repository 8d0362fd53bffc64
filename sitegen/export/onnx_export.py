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

import onnx
import torch
from torch import nn

OPSET = 18
INPUT = "image"
_INLINE_BYTES = 1024  # smaller tensors stay in the graph, where tools that read shapes and constants find them


def export_onnx(network: nn.Module, shape: Sequence[int], output: str | Sequence[str], path: Path) -> None:
    """Write `path` (.onnx) and the file of the same stem with `.weights`, replacing older ones.

    The graph takes "image", float32 of `shape` [1, C, H, W], and gives `output`, float32; a network that returns a
    tuple needs a name for each part. Batch normalisation is as in evaluation. Raises what torch.onnx.export and
    onnx.checker raise.
    """
    network.eval()
    example = torch.zeros(*shape)
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT],
            output_names=[output] if isinstance(output, str) else list(output),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    strip_traces(model)
    save_with_weights(model, path)


def save_with_weights(model: onnx.ModelProto, path: Path) -> None:
    """Write a model to `path` (.onnx), its weights to the file of the same stem with `.weights`, replacing older ones.

    Raises what onnx.checker raises.
    """
    weights = path.with_suffix(".weights")
    path.unlink(missing_ok=True)
    weights.unlink(missing_ok=True)  # onnx appends to an existing file
    onnx.save_model(model, str(path), save_as_external_data=True, location=weights.name, size_threshold=_INLINE_BYTES)
    if weights.exists():  # small tensors alone make none
        weights.chmod(0o644)  # onnx writes it for the owner alone; bundles are for everyone
    onnx.checker.check_model(str(path), full_check=True)


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


def strip_traces(model: onnx.ModelProto) -> None:
    """Remove what does not change the numbers: documentation, metadata (source lines, file names), value shapes inside.

    Precondition: a valid model. Postcondition: inputs, outputs, operators, attributes and weights are untouched.
    """
    graph = model.graph
    for part in (model, graph):
        part.ClearField("doc_string")
        del part.metadata_props[:]
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        item.ClearField("doc_string")
        del item.metadata_props[:]
    del graph.value_info[:]
    model.producer_name, model.producer_version, graph.name = "sitegen", "", "network"

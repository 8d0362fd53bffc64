"""ONNX models as files of a bundle: a graph with its weights in one external file, without traces of who wrote it.

This needs no torch, so that models from elsewhere can become bundles in the core install.
"""

from pathlib import Path

import onnx

OPSET = 18
INPUT = "image"
_INLINE_BYTES = 1024  # smaller tensors stay in the graph, where tools that read shapes and constants find them


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

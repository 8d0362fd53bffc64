"""Native ONNX Runtime, set up the same for everything that runs a graph: on the CPU and, unless told, on one thread.

With one thread a number does not depend on how many cores a machine has. A session is of one process and cannot be
sent to another: what is to run in several opens its sessions there, when they are first used.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from sitegen_runtime.requests import RunGraph

_ERRORS_ALONE = 3  # ONNX Runtime's warnings are of nodes that it could place better, and tell a user nothing


def open_session(graph: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session of an ONNX file, or of a model's bytes. Raises what ONNX Runtime raises, of no common base."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ALONE
    model = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def answer(session: onnxruntime.InferenceSession, request: RunGraph) -> dict[str, array[float]]:
    """Return the outputs that the runtime asks for by name, each as float32 values in C order."""
    feeds = {feed.name: np.frombuffer(feed.values, np.float32).reshape(feed.shape) for feed in request.feeds}
    outputs: Sequence[np.ndarray] = session.run(list(request.outputs), feeds)
    return {
        name: array("f", np.ascontiguousarray(value, np.float32).tobytes())
        for name, value in zip(request.outputs, outputs, strict=True)
    }

"""Native ONNX Runtime, set up the same for everything that runs a graph: on the CPU and, unless told, on one thread.

With one thread a number does not depend on how many cores a machine has. A session is of one process and cannot be
sent to another: what is to run in several opens its sessions there, when they are first used.

A file from elsewhere may hold a loop without an end, and while ONNX Runtime runs, Python hears of no interruption. So
graphs are run by `run_within`, which ends them.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import onnxruntime

from sitegen_runtime.requests import RunGraph

LONGEST = 300.0
"""Seconds that a graph may take for one image; the largest networks that a page can run take some ten on one thread."""

_ERRORS_ALONE = 3  # ONNX Runtime's warnings are of nodes that it could place better, and tell a user nothing


def open_session(graph: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session of an ONNX file, or of a model's bytes. Raises what ONNX Runtime raises, of no common base."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ALONE
    model = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


_NOTHING = 4  # what goes wrong in a run is raised, and need not be printed beside it


class TookTooLong(Exception):
    """A graph did not come to an end in time."""


def run_within(
    session: onnxruntime.InferenceSession,
    outputs: Sequence[str] | None,
    feeds: Mapping[str, Any],
    seconds: float | None = None,
) -> list[np.ndarray]:
    """Return what `session.run` does, or raise TookTooLong after `seconds`, LONGEST by default."""
    limit = LONGEST if seconds is None else seconds
    options = onnxruntime.RunOptions()
    options.log_severity_level = _NOTHING
    timer = Timer(limit, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        found: list[np.ndarray] = session.run(outputs, feeds, options)
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        if options.terminate:
            raise TookTooLong(
                f"it took longer than {limit:g} seconds for one image, and was ended: it may hold a loop without an end"
            ) from error
        raise
    finally:
        timer.cancel()
    return found


def answer(session: onnxruntime.InferenceSession, request: RunGraph) -> dict[str, array[float]]:
    """Return the outputs that the runtime asks for by name, each as float32 values in C order."""
    feeds = {feed.name: np.frombuffer(feed.values, np.float32).reshape(feed.shape) for feed in request.feeds}
    outputs = run_within(session, list(request.outputs), feeds)
    return {
        name: array("f", np.ascontiguousarray(value, np.float32).tobytes())
        for name, value in zip(request.outputs, outputs, strict=True)
    }

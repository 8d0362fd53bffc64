"""Which passes make graphs faster, and where each is applied.

    BUNDLE   when a classifier becomes a bundle (exported or imported), before its gradients are compiled: what is
             faster in every engine
    PAGE     when a site is built, on every graph that goes into it, those with gradients too: what is faster in
             WebAssembly alone; a bundle's own file stays as it is, and so does what Python runs

A pass changes the model that it is given, keeps inputs, outputs and weights, and says whether it changed anything. Its
docstring says what it asks of a graph, and how far outputs may move. To add one: a module beside this, a row here, a
row in `tests/graphs/test_passes.py`, and a figure: a pass that makes nothing faster is not kept.
"""

from collections.abc import Callable, Sequence

import onnx
from onnx import ModelProto

from sitegen.graphs.passes.pooling_first import pool_first
from sitegen.graphs.passes.rectifiers_apart import rectify_apart

Pass = Callable[[ModelProto], bool]

BUNDLE: Sequence[Pass] = (pool_first,)
PAGE: Sequence[Pass] = (rectify_apart,)


def apply(passes: Sequence[Pass], model: ModelProto) -> bool:
    """Change a model by one pass after another; return whether any changed something."""
    changes = [each(model) for each in passes]
    return any(changes)


def for_page(graph: bytes) -> bytes:
    """Return an ONNX file as a page gets it: the same bytes where no pass changes anything."""
    model = onnx.load_model_from_string(graph)
    return model.SerializeToString(deterministic=True) if apply(PAGE, model) else graph

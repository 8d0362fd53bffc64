"""The small graph `features.onnx`: from a classifier's pooled features to what two scores are the norms of.

It takes "features", float32 [1, F], and gives "whitened" [1, F], whose norm is the Mahalanobis distance, and "residual"
[1, K], whose norm goes into ViM: see `sitegen.gate.feature_statistics`. Each is a subtraction and a product of
matrices. To subtract first costs nothing and keeps the digits that the difference of two large products would lose.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sitegen.errors import ExportError
from sitegen.gate.feature_statistics import Residual, Whitening
from sitegen.graphs.files import OPSET, save_with_weights
from sitegen.graphs.names import FEATURES, FEATURES_GRAPH, RESIDUAL, WHITENED
from sitegen.graphs.session import open_session

TOLERANCE = 1e-4  # of the norm of what a graph gives, or of 1 where that is shorter
_IR_VERSION = 10  # as the exporter of the other graphs writes

Values = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureStatistics:
    """What the graph is made of; either part may be missing."""

    whitening: Whitening | None = None
    residual: Residual | None = None

    def parts(self) -> Mapping[str, tuple[Values, Values]]:
        """What is subtracted [F] and the matrix [F, K], by the output that they make."""
        found = {}
        if self.whitening:
            found[WHITENED] = self.whitening.mean, self.whitening.matrix
        if self.residual:
            found[RESIDUAL] = self.residual.origin, self.residual.matrix
        return found


def write_features_graph(statistics: FeatureStatistics, folder: Path) -> Path:
    """Write `features.onnx` and, where it is large enough, `features.weights`; return the graph's path.

    Raises ExportError where there is nothing to write, or where the parts are of different numbers of features.
    """
    parts = statistics.parts()
    sizes = {len(origin) for origin, _ in parts.values()}
    if len(sizes) != 1:
        raise ExportError(f"A graph of features needs statistics, of as many features each, not of {sorted(sizes)}.")
    tensors = [numpy_helper.from_array(value, name) for name, value in _constants(parts)]
    graph = helper.make_graph(
        [node for output in parts for node in _nodes(output)],
        "network",
        [helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, [1, sizes.pop()])],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, matrix.shape[1]])
            for output, (_, matrix) in parts.items()
        ],
        tensors,
    )
    versions = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, producer_name="sitegen", opset_imports=versions, ir_version=_IR_VERSION)
    save_with_weights(model, folder / FEATURES_GRAPH)
    return folder / FEATURES_GRAPH


def prove_features_graph(statistics: FeatureStatistics, folder: Path, features: ArrayLike) -> float:
    """Return how far the graph's outputs for features [N, F] are from float64, in units of their norm or of 1.

    Raises ExportError where it is more than TOLERANCE, or no finite number.
    """
    rows = np.asarray(features, np.float32)
    session = open_session(folder / FEATURES_GRAPH)
    largest = 0.0
    for output, (origin, matrix) in statistics.parts().items():
        made = np.concatenate([session.run([output], {FEATURES: row[np.newaxis]})[0] for row in rows])
        expected = (rows.astype(np.float64) - origin) @ matrix
        lengths = np.maximum(1, np.linalg.norm(expected, axis=1))
        difference = float((np.linalg.norm(made - expected, axis=1) / lengths).max())
        if not difference <= TOLERANCE:  # also where it is NaN
            raise ExportError(
                f"{FEATURES_GRAPH} gives {output!r} that differs by {difference:.3g} of its norm from float64, and at "
                f"most {TOLERANCE:g} is allowed. Some features hardly differ between the training images: take more "
                "images, or leave this metric out."
            )
        largest = max(largest, difference)
    return largest


def _constants(parts: Mapping[str, tuple[Values, Values]]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for output, (origin, matrix) in parts.items():
        yield f"{output}_origin", origin.astype(np.float32)
        yield f"{output}_matrix", np.ascontiguousarray(matrix, np.float32)


def _nodes(output: str) -> list[NodeProto]:
    return [
        helper.make_node("Sub", [FEATURES, f"{output}_origin"], [f"{output}_away"], name=f"{output}_away"),
        helper.make_node("MatMul", [f"{output}_away", f"{output}_matrix"], [output], name=output),
    ]

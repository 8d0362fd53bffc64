"""An ONNX file as its user has it, in native ONNX Runtime."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from sitegen.errors import ModelError
from sitegen.graphs.session import TookTooLong, open_session, run_within
from sitegen.importing.graph.ending import CLOSEST, Ending, Head
from sitegen.importing.graph.heads import bypass
from sitegen.importing.graph.image import ImageSlot, producer
from sitegen.importing.graph.passes import drop_unused
from sitegen.importing.graph.precision import to_float64
from sitegen.importing.graph.reading import nodes_of
from sitegen.importing.source import Images, Logits

_LOOPS = {"Loop", "Scan"}


class OnnxOriginal:
    """The graph of a file, before anything in it was changed, but for a final sigmoid or softmax.

    That one is left out: logits cannot be had from probabilities near 1 in float32, which are too far from each other.
    Those of a softmax are computed here, in float64.
    """

    def __init__(self, model: ModelProto, slot: ImageSlot, output: str, head: Head) -> None:
        """`output` is the one with the findings, and `head` says how it is made. Raises ModelError if it cannot run."""
        self.library = f"ONNX Runtime {onnxruntime.__version__}"
        copy = ModelProto()
        copy.CopyFrom(model)
        (kept,) = [value for value in model.graph.output if value.name == output]
        del copy.graph.output[:]
        copy.graph.output.append(kept)
        drop_unused(copy)
        self._slot, self._ending, self._model = slot, _without(copy, head), copy
        try:
            self._session = open_session(copy.SerializeToString())
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise ModelError(f"ONNX Runtime cannot run the model: {error}. Export it with opset 18.") from error

    def logits(self, images: Images) -> Logits:
        """Return [N, labels] for images float32 [N, channels, side, side], each image run by itself.

        Raises ModelError where one takes too long.
        """
        return np.stack([self._of_one(image) for image in images])

    def in_both(self, images: Images) -> tuple[Logits, Logits] | None:
        """Return [N, labels] by ONNX Runtime in float32, and by the reference of ONNX in float64, where that can."""
        from onnx.reference import ReferenceEvaluator  # costs a second to import

        if any(node.op_type in _LOOPS for node in nodes_of(self._model.graph)):
            return None  # Python goes through a loop some thousand times more slowly, and nothing could end it
        wide = ModelProto()
        wide.CopyFrom(self._model)
        to_float64(wide)
        try:
            reference = ReferenceEvaluator(wide)
            given = [{self._slot.name: self._batch(image).astype(np.float64)} for image in images]
            exact = [self._of(np.asarray(next(iter(reference.run(None, each))))) for each in given]
        except Exception:  # operators that are of float32 alone, as those with whole numbers
            return None
        return self.logits(images), np.stack(exact)

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return None: ONNX Runtime gives none."""
        return None

    def _batch(self, image: Images) -> Images:
        turned = image.transpose(1, 2, 0) if self._slot.last else image
        return np.repeat(np.ascontiguousarray(turned)[np.newaxis], self._slot.batch or 1, axis=0)

    def _of_one(self, image: Images) -> Logits:
        try:
            found = run_within(self._session, None, {self._slot.name: self._batch(image)})
        except TookTooLong as error:
            raise ModelError(f"The model cannot be run: {error}. Export it without that loop.") from error
        return self._of(found[0])

    def _of(self, found: NDArray[Any]) -> Logits:
        """Return [labels] of the first image."""
        first = np.asarray(found, np.float64).reshape(self._slot.batch or 1, -1)[0]
        return as_logits_of(first, self._ending)


def as_logits_of(scores: Logits, ending: Ending) -> Logits:
    """Return [labels] logits for the outputs [labels] of a graph that ends so, in float64."""
    if ending in ("softmax", "softmax of logits"):
        return against_the_rest(scores)
    if ending in ("probabilities", "percentages"):
        return log_odds(scores / 100 if ending == "percentages" else scores)
    return scores


def _without(model: ModelProto, head: Head) -> Ending:
    """Take out what makes probabilities; return how logits are made of what is left.

    Operators may have got another name as the graph was brought to a newer opset; probabilities are what is left then.
    """
    nodes = [producer(model, node.output[0]) for node in head.nodes]
    found = [node for node in nodes if node is not None and node.op_type in {each.op_type for each in head.nodes}]
    if len(found) < len(nodes):
        return "probabilities"
    for node in found:
        bypass(model, node)
    return head.ending


def against_the_rest(scores: Logits) -> Logits:
    """Return zᵢ − log Σ_{j≠i} exp zⱼ for scores [labels]."""
    others = np.array([np.delete(scores, index) for index in range(len(scores))])
    largest = others.max(axis=1)
    return np.asarray(scores - largest - np.log(np.exp(others - largest[:, np.newaxis]).sum(axis=1)))


def log_odds(shares: Logits) -> Logits:
    """Return log(p / (1 − p)) for probabilities, which are kept away from 0 and 1 as in the bundle."""
    inside = np.clip(shares, float(np.float32(CLOSEST)), float(np.float32(1 - CLOSEST)))
    return np.asarray(np.log(inside) - np.log1p(-inside))

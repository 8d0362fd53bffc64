"""The weights of an imported classifier in a smaller form, and what that does to its graphs and probabilities."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from sitegen.errors import ExportError, SettingsError
from sitegen.export.variants.static import quantise
from sitegen.graphs.byte_weights import round_to_bytes
from sitegen.graphs.half_weights import round_weights
from sitegen.graphs.names import CLASSIFIER
from sitegen.graphs.weight_forms import STATIC, Weights
from sitegen.importing.graph.quantised import whole_number_operators
from sitegen.importing.graphs import GradientGraphs, remove_gradients, without_gradients, write_gradient_graphs
from sitegen.importing.proof.graph_run import GraphRun, Images, Values, sigmoid
from sitegen.importing.proof.proof import Proof, compare_with


@dataclass(frozen=True)
class StoredWeights:
    """What the form of the weights did: how many numbers it has, and by how much probabilities moved.

    `logits` is, by file, how far graphs that were made anew are from the classifier with such weights. `largest` and
    `mean` are of the probability, against unrounded weights, on so many `images`.
    """

    form: Weights
    numbers: int
    images: int
    logits: dict[str, float]
    mean: float
    largest: float


def store_weights(
    folder: Path, images: Images, proof: Proof, graphs: GradientGraphs, form: Weights
) -> tuple[GradientGraphs, StoredWeights]:
    """Put the weights of a folder's graphs into a form; return the gradient graphs that fit it, and what it did.

    Rounded weights have gradient graphs of their own. A classifier that computes with whole numbers has no gradient,
    and those of float32 stay; every second image calibrates it, the others tell what that did. Raises ExportError where
    weights cannot be put into the form, or where a graph does not give what the classifier gives.
    """
    before = GraphRun(folder / CLASSIFIER).logits(images)
    if form == STATIC:
        numbers = _compute_with_whole_numbers(folder, images[::2], graphs)
        after = GraphRun(folder / CLASSIFIER).logits(images)
        return graphs, _stored(form, numbers, {}, before[1::2], after[1::2])
    numbers = (round_weights if form == "half" else round_to_bytes)(folder / CLASSIFIER)
    after = GraphRun(folder / CLASSIFIER).logits(images)
    remove_gradients(folder)
    again = write_gradient_graphs(folder)
    logits = compare_with(after, folder, images, again.feature_map, proof.float32)
    if not graphs.gradient:
        again = without_gradients(folder, graphs.remarks[0].partition(": ")[2])
    return again, _stored(form, numbers, logits, before, after)


def check_form(form: Weights, synthetic: bool) -> None:
    """Raise SettingsError where there are no images that a form needs."""
    if form == STATIC and synthetic:
        raise SettingsError(
            "--weights static-int8 is calibrated on images of the kind that the model will see. Name some, 32 or more, "
            "with --images."
        )


def _compute_with_whole_numbers(folder: Path, images: Images, graphs: GradientGraphs) -> int:
    whole = whole_number_operators(onnx.load(str(folder / CLASSIFIER), load_external_data=False))
    if whole:
        raise ExportError(f"The model computes with whole numbers already ({', '.join(whole)}). Leave out --weights.")
    numbers = quantise(folder / CLASSIFIER, images)
    if not graphs.gradient:
        (folder / CLASSIFIER).with_suffix(".weights").unlink(missing_ok=True)
    return numbers


def _stored(form: Weights, numbers: int, logits: dict[str, float], before: Values, after: Values) -> StoredWeights:
    moved = np.abs(sigmoid(after) - sigmoid(before))
    return StoredWeights(form, numbers, len(moved), logits, float(moved.mean()), float(moved.max()))

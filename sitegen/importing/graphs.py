"""The graphs of an imported classifier: itself, its gradients as far as they go, and its last layer."""

from dataclasses import dataclass
from pathlib import Path

import onnx

from sitegen.bundle import FeatureMap
from sitegen.errors import GradientError
from sitegen.export.gradient_graph import CAM, GRADIENT, GUIDED, export_cam, export_gradient, export_guided
from sitegen.graphs.names import CLASSIFIER, FINAL_WEIGHTS
from sitegen.importing.graph.final_layer import LATE, last_map, layers_after, write_final_layer
from sitegen.importing.graph.late_maps import EARLY, write_late_map
from sitegen.importing.graph.quantised import whole_number_operators


@dataclass(frozen=True)
class GradientGraphs:
    """Whether there are gradient graphs, the last layer where class activation maps are defined, and remarks."""

    gradient: bool
    feature_map: FeatureMap | None
    remarks: tuple[str, ...] = ()


def write_gradient_graphs(folder: Path) -> GradientGraphs:
    """Write the gradient graphs for the `classifier.onnx` of a folder, and `final.weights` where they are defined.

    A classifier with an operator that has no gradient, or that computes with whole numbers, keeps none of these files,
    and a remark says so. Where guided backpropagation alone has none, it alone is missing.
    """
    if whole := whole_number_operators(onnx.load(str(folder / CLASSIFIER), load_external_data=False)):
        return without_gradients(
            folder,
            f"the model computes with whole numbers ({', '.join(whole)}), which change in steps and have no slope. "
            "Import the model from before it was quantised to have them",
        )
    write_late_map(folder)
    features = last_map(folder)
    try:
        export_gradient(folder, features)
        if features:
            export_cam(folder, features)
    except GradientError as error:
        return without_gradients(folder, str(error))
    told = []
    try:
        export_guided(folder)
    except GradientError as error:
        (folder / GUIDED).unlink(missing_ok=True)
        told.append(f"The bundle has no guided backpropagation; other maps it has: {error}")
    feature_map = write_final_layer(folder)
    told += [] if feature_map else [_without_last_layer(folder, features)]
    return GradientGraphs(gradient=True, feature_map=feature_map, remarks=tuple(told))


def without_gradients(folder: Path, why: str) -> GradientGraphs:
    """Remove all graphs but the classifier, and say why."""
    remove_gradients(folder)
    told = f"The bundle gives no gradients and no maps of where the model looked: {why.rstrip('.')}."
    return GradientGraphs(gradient=False, feature_map=None, remarks=(told,))


def remove_gradients(folder: Path) -> None:
    """Remove the gradient graphs of a folder, and the last layer's weights."""
    for name in (GRADIENT, CAM, GUIDED, FINAL_WEIGHTS):
        (folder / name).unlink(missing_ok=True)


def _without_last_layer(folder: Path, features: str | None) -> str:
    if not features:
        return "The network has no feature map that is laid out like the image: there are no CAM and no Grad-CAM."
    after, count = layers_after(folder, features)
    told = (
        "The network does not end in an average over the image and one linear layer, so that there are no class "
        f"activation maps. Grad-CAM draws over the feature map {features!r}."
    )
    if features == LATE:
        return (
            f"{told} It was laid out like the image for this: the tokens that the last block reads, one a patch, or "
            "with channels last what is averaged in the end."
        )
    if after <= EARLY * count:
        return told
    return (
        f"{told} That is an early one, as with networks of patches: {after} of {count} layers follow it, and Grad-CAM "
        "tells little of what they do. Look at maps of the gradient instead."
    )

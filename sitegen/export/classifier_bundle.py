"""A trained classifier as the files of a bundle: graphs and final weights."""

from dataclasses import replace
from pathlib import Path

from sitegen.bundle import FeatureMap
from sitegen.export.final_weights import write_final_weights
from sitegen.export.gradient_graph import export_cam, export_gradient, export_guided, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.export.pooled_features import add_pooled_features
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER
from sitegen.networks.trained import TrainedClassifier
from sitegen_runtime.bundle.model import NetworkInput


def write_classifier(trained: TrainedClassifier, folder: Path, *, pooled: bool = False) -> FeatureMap | None:
    """Write `classifier.onnx` with its weights, `gradient.onnx`, `cam.onnx`, `guided.onnx` where the network has
    rectifiers, and `final.weights` where the head has them.

    The feature map is an output of the gradient graphs alone: in the classifier it would cost every page time and
    memory on every image. With `pooled` the classifier gives its average over the image, for the gate's scores of
    features. Raises GradientError where an operator has no gradient.
    """
    export_onnx(trained.network, classifier_input(trained).shape, "logits", folder / CLASSIFIER)
    if pooled:
        add_pooled_features(folder / CLASSIFIER)
    features = last_feature_map(folder / CLASSIFIER)
    export_gradient(folder, features)
    export_cam(folder, features)
    export_guided(folder)
    return write_final_weights(folder, trained.network, features)


def classifier_input(trained: TrainedClassifier) -> NetworkInput:
    """Return the classifier's input under the name that exported graphs give it."""
    return replace(trained.image, name=INPUT)

"""The weights of a classifier's last layer as a file that needs no library to read: see `sitegen.bundle.FeatureMap`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import FeatureMap
from sitegen.graphs.names import FINAL_WEIGHTS
from sitegen.networks.classifier import Classifier
from sitegen.networks.heads import LinearHead


def write_final_weights(folder: Path, network: Classifier, features: str) -> FeatureMap | None:
    """Write `final.weights` and return its description; `features` is what the gradient graph calls the feature map.

    A network whose head is more than an average and a linear layer has no class activation maps: None, and no file.
    """
    (folder / FINAL_WEIGHTS).unlink(missing_ok=True)
    if not isinstance(network.head, LinearHead):
        return None
    weight, bias = (part.detach().cpu().numpy() for part in (network.head.weight, network.head.bias))
    rows = np.concatenate([weight, bias[:, np.newaxis]], axis=1).astype("<f4")
    (folder / FINAL_WEIGHTS).write_bytes(rows.tobytes())
    labels, columns = rows.shape
    return FeatureMap(output=features, weights=FINAL_WEIGHTS, shape=(labels, columns))


def read_final_weights(folder: Path, feature_map: FeatureMap) -> NDArray[np.float32]:
    """Return the weight of each channel and, last, the bias, for each label: float32 [labels, channels + 1]."""
    return np.fromfile(folder / feature_map.weights, "<f4").reshape(feature_map.shape)

"""The last feature map of a classifier, and the weights that make logits of it: what class activation maps are made of.

Zhou et al., "Learning Deep Features for Discriminative Localization" (CVPR 2016): where a network ends with the average
over the image and one linear layer, its logit is the mean over the cells of a map, plus a bias, and that map is the sum
of the feature map's channels, each times its weight.
"""

from collections.abc import Iterator
from math import prod
from typing import Annotated, Literal

from pydantic import Field

from sitegen.bundle.parts import FileEntry, Graph, Part

_BYTES = 4  # of a float32


class FeatureMap(Part):
    """Which output of which graph is the feature map, and which file has the final weights.

    The file has nothing but float32 numbers, little-endian, of `shape` [labels, channels + 1]: a row for each label,
    with the weight of each channel, and the bias at its end.
    """

    graph: Literal["gradient"] = "gradient"
    output: str
    weights: str
    shape: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)]]


def feature_map_problems(
    feature_map: FeatureMap, gradient: Graph | None, weights: FileEntry | None, labels: int
) -> Iterator[str]:
    """Yield what is wrong with `feature_map`, beside this graph and this file, for so many labels."""
    features = gradient.output("features") if gradient else None
    if features is None or features.name != feature_map.output:
        yield (
            f"feature_map.output is {feature_map.output!r}, but graphs.gradient has no output of this name "
            "with the role 'features'"
        )
    elif features.shape is None or len(features.shape) != 4:
        yield f"feature_map: the shape of {features.name!r} must be [1, channels, rows, columns], not {features.shape}"
    elif feature_map.shape != (wanted := (labels, features.shape[1] + 1)):
        yield (
            f"feature_map.shape is {list(feature_map.shape)}; [labels, channels + 1] is {list(wanted)} "
            f"for {labels} label(s) and the feature map {features.shape}"
        )
    if weights and weights.bytes != (needed := _BYTES * prod(feature_map.shape)):
        yield (
            f"feature_map.weights is {feature_map.weights!r} of {weights.bytes} bytes; the shape "
            f"{list(feature_map.shape)} needs {needed}"
        )

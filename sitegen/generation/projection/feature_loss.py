"""A projection's loss by the features of a network, which ONNX Runtime computes with their slope, within PyTorch.

The paper's projection compares features of VGG-16 (LPIPS) where this one compares those of a network that is named:
what the network does not see is not fitted, such as fine detail behind its last layers.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from sitegen.generation.projection.feature_graph import FeatureGraph, FeaturesOf, Values
from sitegen.generation.projection.losses import pixel_distance

_LUMA = (0.299, 0.587, 0.114)  # ITU-R 601


class FeatureDistance:
    """How far drawings are from images by features, in shares of the image's features' mean square.

    `pixels` is how much the pixels' distance counts beside it.
    """

    def __init__(self, network: FeaturesOf, pixels: float = 0.0) -> None:
        """Raise what `FeatureGraph` raises."""
        self._network, self._pixels = network, pixels
        self._graph = FeatureGraph(network)
        self._image: Tensor | None = None
        self._wanted: list[Values] = []

    def __call__(self, made: Tensor, image: Tensor) -> Tensor:
        """Return [N] for images [N, C, side, side], -1..1."""
        if image is not self._image:  # a projection compares with the same images at each step
            self._wanted = [self._graph.features(_values(each[None])) for each in self._prepared(image)]
            self._image = image
        away: Tensor = _Measured.apply(self._prepared(made), self._graph, self._wanted)  # type: ignore[no-untyped-call]
        return away + self._pixels * pixel_distance(made, image) if self._pixels else away

    def _prepared(self, images: Tensor) -> Tensor:
        """Images as the network takes them."""
        network = self._network
        images = (images + 1) / 2
        if images.shape[-1] != network.side:
            size = [network.side] * 2
            images = functional.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        if images.shape[1] == 3 and network.channels == 1:
            images = torch.einsum("nchw,c->nhw", images, images.new_tensor(_LUMA))[:, None]
        mean, std = (images.new_tensor(each).reshape(1, -1, 1, 1) for each in (network.mean, network.std))
        return (images.expand(-1, network.channels, -1, -1) - mean) / std


class _Measured(Function):
    """The distance of prepared images [N, C, side, side] from features, with the slope that came with it."""

    @staticmethod
    def forward(context: Any, images: Tensor, graph: FeatureGraph, wanted: list[Values]) -> Tensor:
        """Return [N]."""
        found = [graph.distance(_values(each[None]), of) for each, of in zip(images, wanted, strict=True)]
        context.save_for_backward(torch.cat([torch.from_numpy(slope) for _, slope in found]).to(images))
        return images.new_tensor([distance for distance, _ in found])

    @staticmethod
    def backward(context: Any, *above: Tensor) -> tuple[Tensor, None, None]:
        """Return the slope times what comes from above."""
        (slopes,) = context.saved_tensors
        return slopes * above[0][:, None, None, None], None, None


def _values(image: Tensor) -> Values:
    values: Values = image.detach().float().cpu().contiguous().numpy()
    return values

"""The networks that the compiler is proved on: how each is made, what it takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.helpers.gradient.networks_attention import ConvNeXt, Swin, VisionTransformer
from tests.helpers.gradient.networks_images import (
    Autoencoder,
    BilinearUp,
    StyleGenerator,
    TransposedUp,
    UNet,
    group_normed,
    instance_normed,
)
from tests.helpers.gradient.networks_mobile import EfficientNet, MobileNetV2, MobileNetV3
from tests.helpers.gradient.networks_residual import (
    DENSENET_121,
    DENSENET_SMALL,
    BasicBlock,
    Bottleneck,
    DenseClassifier,
    ResNet,
)

INPUT = "image"
FEATURES = "features"  # the tensor within that `also` names


@dataclass(frozen=True)
class Network:
    """One network: its forward function gives `outputs`, then its last feature map."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...] = (1, 3, 48, 48)
    outputs: tuple[str, ...] = ("logits",)
    of: str = "logits"
    dynamic: bool = True  # whether the exporter can leave the batch open
    warm_up: int = 8  # images in each of the four batches that batch normalisation averages over

    def images(self, seed: int, batch: int | None = None) -> Tensor:
        """Random images (latent vectors for the generator), float32 of `shape`, or of another batch."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(batch or self.shape[0], *self.shape[1:], generator=generator)


NETWORKS = {
    "densenet": Network(lambda: DenseClassifier(DENSENET_SMALL), (1, 1, 64, 64)),
    "resnet-basic": Network(lambda: ResNet(BasicBlock, (1, 1, 1), 16), (1, 3, 64, 64)),
    "resnet-bottleneck": Network(lambda: ResNet(Bottleneck, (2, 1), 8)),
    "mobilenet-v2": Network(MobileNetV2),
    "mobilenet-v3": Network(MobileNetV3),
    "efficientnet": Network(EfficientNet),
    "convnext": Network(ConvNeXt),
    "vit": Network(lambda: VisionTransformer(48)),
    "swin": Network(lambda: Swin(32), (1, 3, 32, 32)),
    "unet-transposed": Network(lambda: UNet(TransposedUp, instance_normed), (1, 1, 32, 32)),
    "unet-bilinear": Network(lambda: UNet(BilinearUp, group_normed), (1, 1, 32, 32)),
    "autoencoder": Network(Autoencoder, (1, 1, 32, 32), ("reconstruction", "error"), "error"),
    "stylegan2-scaled": Network(lambda: StyleGenerator(fused=False), (1, 16), ("rgb",), "rgb"),
    "stylegan2-grouped": Network(lambda: StyleGenerator(fused=True), (2, 16), ("rgb",), "rgb", dynamic=False),
    "densenet-121": Network(lambda: DenseClassifier(DENSENET_121), (1, 1, 224, 224), warm_up=2),
}


def make(name: str) -> nn.Module:
    """The network in evaluation mode: random weights, the same every time, and statistics of random images."""
    torch.manual_seed(sum(map(ord, name)))
    entry = NETWORKS[name]
    network = entry.make()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the plain average over what it has seen
        nn.init.uniform_(norm.weight, 0.7, 1.3)
        nn.init.uniform_(norm.bias, -0.3, 0.3)
    with torch.no_grad():
        for seed in range(4 if norms else 0):
            network.train()(entry.images(1000 + seed, batch=entry.warm_up))
    return network.eval().requires_grad_(False)

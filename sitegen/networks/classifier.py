"""What every classifier is: a body that makes feature maps of images, and a head that makes logits of the maps.

Training, export and explanation use these methods alone, and so serve any network that has them.
"""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import TypeVar

from torch import Tensor, nn

from sitegen.networks.heads import Head


class Classifier(nn.Module, ABC):
    """Logits of images: `head(feature_maps(images))`."""

    @abstractmethod
    def feature_maps(self, images: Tensor) -> Tensor:
        """Return the last feature maps [N, width, h, w] of images [N, channels, side, side]: the head's input."""

    @property
    @abstractmethod
    def head(self) -> Head:
        """The head, under whatever name the network has it."""

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, labels] for images [N, channels, side, side]."""
        logits: Tensor = self.head(self.feature_maps(images))
        return logits

    def body_parameters(self) -> list[nn.Parameter]:
        """Return all parameters that are not the head's."""
        of_head = {id(parameter) for parameter in self.head.parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in of_head]

    def layers(self) -> list[list[nn.Parameter]]:
        """Return all parameters by layer, from the image to the head, which is the last.

        A layer of the body has its first two names in common, such as `blocks.3`. Modules with one name, such as
        a convolution and its normalisation, are one layer with those beside them.
        """
        of_body = {id(parameter) for parameter in self.body_parameters()}
        grouped: list[list[nn.Parameter]] = []
        last: str | None = None
        for name, parameter in self.named_parameters():
            if id(parameter) not in of_body:
                continue
            parts = name.split(".")[:-1]
            layer = ".".join(parts[:2]) if len(parts) > 1 else ""
            if layer != last or not grouped:
                grouped.append([])
            grouped[-1].append(parameter)
            last = layer
        return [*grouped, list(self.head.parameters())]


Network = TypeVar("Network", bound=Classifier)


def as_one_logit(network: Network) -> Network:
    """Return a copy of a network of two logits, [others, finding], that gives one: finding minus others.

    The sigmoid of the difference is the softmax's share of the finding. The difference is taken in the weights of the
    last layer, so the copy is like any network of one label, class activation maps included. Raises ValueError where
    there are not two logits.
    """
    single = deepcopy(network)
    final = single.head.final
    if final.out_features != 2:
        raise ValueError(f"a difference needs two logits, and there are {final.out_features}")
    weight, bias = final.weight.detach(), final.bias.detach()
    final.weight, final.bias = nn.Parameter(weight[1:] - weight[:1]), nn.Parameter(bias[1:] - bias[:1])
    final.out_features = 1
    return single

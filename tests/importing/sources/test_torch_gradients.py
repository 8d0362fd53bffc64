"""Gradients of an original of PyTorch are those of its function, however its tensors lie in memory."""

import numpy as np
import torch
from torch import Tensor, nn

from sitegen.importing.sources.torch_original import TorchOriginal


class Tokens(nn.Module):
    """A convolution, its normalisation, and a logit of all tokens: a linear function of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.head = nn.Linear(4 * 36, 2)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.norm(self.conv(images)).flatten(2).transpose(1, 2)
        made: Tensor = self.head(tokens.flatten(1))
        return made


def test_a_normalisation_before_tokens_has_its_own_gradient() -> None:
    torch.manual_seed(0)
    original = TorchOriginal(Tokens(), "logits")
    random = np.random.default_rng(0)
    image = random.standard_normal((1, 1, 6, 6)).astype(np.float32)
    gradient = original.gradients(image, label=1)
    assert gradient is not None
    for _ in range(3):
        way = random.standard_normal((1, 1, 6, 6)).astype(np.float32)
        change = original.logits(image + way)[0, 1] - original.logits(image)[0, 1]
        assert abs(float((gradient * way).sum()) - change) < 1e-5
    assert not original.network.norm._forward_hooks

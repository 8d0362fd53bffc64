"""The running average of the generator's weights, which draws better than the weights of any one step."""

from copy import deepcopy

import torch
from torch import Tensor

from sitegen.networks.stylegan2.generator import StyleGenerator


class Following:
    """A generator whose weights follow another's: half is forgotten after `images` images (Karras et al. 2018).

    At first it forgets faster, half within `begin` of the images shown so far, so that it does not keep the weights of
    the beginning (Karras et al. 2020b, appendix C); `begin` 0 is never faster. Buffers are taken over as they are.
    """

    def __init__(self, generator: StyleGenerator, images: float, begin: float) -> None:
        self.network = deepcopy(generator).eval().requires_grad_(False)
        self._images, self._begin = images, begin

    @torch.no_grad()
    def step(self, generator: StyleGenerator, shown: int, batch: int) -> None:
        """Follow a step over `batch` images, after `shown` before it."""
        half = min(self._images, (shown + batch) * self._begin) if self._begin else self._images
        kept = 0.5 ** (batch / max(half, 1e-8))
        own: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(generator.parameters())
        torch._foreach_lerp_(own, theirs, 1 - kept)
        for mine, other in zip(self.network.buffers(), generator.buffers(), strict=True):
            mine.copy_(other)

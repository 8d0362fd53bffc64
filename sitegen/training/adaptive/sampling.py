"""Values of images at given places, twice differentiable in the images, as R1 through the augmentation needs.

What `grid_sample` gives is linear in the images. So its gradient in them is the adjoint A, which is linear in what
comes from above, and the gradient of that is sampling again. PyTorch has no second derivative of its own there.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

_MODES = {"bilinear": 0, "nearest": 1}  # as PyTorch numbers them
_BORDER = 1


def sampled(images: Tensor, places: Tensor, mode: str) -> Tensor:
    """Return [N, C, h, w] of images [N, C, H, W] at places [N, h, w, 2] in -1..1, from centre to centre of the corners.

    `mode` is "bilinear" or "nearest"; beyond the border the nearest value counts. Gradients go to the images alone.
    """
    made: Tensor = _Sampled.apply(images, places.detach(), mode)  # type: ignore[no-untyped-call]
    return made


class _Sampled(Function):
    """Sampling, whose gradient is `_Adjoint`."""

    @staticmethod
    def forward(context: Any, images: Tensor, places: Tensor, mode: str) -> Tensor:
        """Return the values."""
        context.save_for_backward(places)
        context.shape, context.mode = images.shape, mode
        return functional.grid_sample(images, places, mode=mode, padding_mode="border", align_corners=True)

    @staticmethod
    def backward(context: Any, *above: Tensor) -> tuple[Tensor, None, None]:
        """Return what reaches each pixel."""
        (places,) = context.saved_tensors
        return _Adjoint.apply(above[0], places, context.shape, context.mode), None, None  # type: ignore[no-untyped-call]


class _Adjoint(Function):
    """The gradient of sampling, whose own gradient is sampling."""

    @staticmethod
    def forward(context: Any, above: Tensor, places: Tensor, shape: torch.Size, mode: str) -> Tensor:
        """Return [N, C, H, W] of what comes from above [N, C, h, w]."""
        context.save_for_backward(places)
        context.mode = mode
        made: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            above.contiguous(), above.new_zeros(shape), places, _MODES[mode], _BORDER, True, (True, False)
        )[0]
        return made

    @staticmethod
    def backward(context: Any, *above: Tensor) -> tuple[Tensor, None, None, None]:
        """Sample what comes from above."""
        (places,) = context.saved_tensors
        return sampled(above[0], places, context.mode), None, None, None

"""The structural similarity that the gate measures, made differentiable."""

from torch import Tensor
from torch.nn import functional

from sitegen_runtime.gate.ssim import WINDOW


def structural_similarity(first: Tensor, second: Tensor, data_range: float) -> Tensor:
    """Return the mean SSIM [N] of images [N, C, H, W]: `sitegen_runtime.gate.ssim`, made differentiable."""
    count = WINDOW * WINDOW
    x, y, xx, yy, xy = (
        functional.avg_pool2d(value, WINDOW, stride=1)
        for value in (first, second, first * first, second * second, first * second)
    )
    unbiased = count / (count - 1)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * x * y + c1) / (x * x + y * y + c1)
    structure = (2 * unbiased * (xy - x * y) + c2) / (unbiased * (xx - x * x + yy - y * y) + c2)
    similarity: Tensor = (luminance * structure).mean(dim=(1, 2, 3))
    return similarity

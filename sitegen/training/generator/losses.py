"""What generator and discriminator are trained with.

logistic, non-saturating   Goodfellow et al. 2014, section 3
R1                         Mescheder, Geiger, Nowozin, "Which training methods for GANs do actually converge?", 2018
path length                Karras et al. 2020a, section 3.2
"""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

FORGETTING = 0.99  # of the mean path length, for each time that it is computed


def generator_loss(of_made: Tensor) -> Tensor:
    """Return the mean of -log D of logits [N] of made images."""
    return functional.softplus(-of_made).mean()


def discriminator_loss(of_real: Tensor, of_made: Tensor) -> Tensor:
    """Return the mean of -log D of real images and of -log(1 - D) of made ones, their sum."""
    return functional.softplus(-of_real).mean() + functional.softplus(of_made).mean()


def r1_penalty(logits_of: Callable[[Tensor], Tensor], images: Tensor, gamma: float) -> Tensor:
    """Return gamma / 2 times the mean squared length of the logits' gradient in images [N, C, side, side].

    `logits_of` gives the logits [N]; what it does to the images before is part of what is differentiated.
    """
    images = images.detach().requires_grad_()
    logits = logits_of(images)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean() * (gamma / 2)


def path_lengths(synthesis: nn.Module, w: Tensor, noise: list[Tensor], source: Generator) -> Tensor:
    """Return the length [N] of the gradient in w [N, layers, style] of each image's product with random numbers.

    The square is summed over the style and averaged over layers; random numbers have a deviation of 1 / side.
    """
    images = synthesis(w, noise)
    random = torch.randn(images.shape, generator=source, device=source.device).to(images)
    product = (images * random).sum() / sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad(product, w, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()


def path_penalty(lengths: Tensor, mean: Tensor, weight: float) -> Tensor:
    """Return `weight` times the mean squared distance of lengths [N] from their running mean, which is a constant."""
    return (lengths - mean).square().mean() * weight


def next_mean(mean: Tensor, lengths: Tensor) -> Tensor:
    """Return the running mean of lengths after these [N]."""
    return torch.lerp(lengths.detach().mean(), mean, FORGETTING)

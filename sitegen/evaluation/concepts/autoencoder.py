"""The autoencoder of Yang et al. 2019 (section 3.2), and its losses.

Five convolutional layers, two before and two after a narrow one in the middle, whose channels are the codes, the
concepts. The losses are those of Harradon et al. 2018 (Eq. 7), each defined here, where the paper leaves it open:

- shallow: the mean over values of |decoded − layer|.
- deep: the divergence of the network's answer with the autoencoder in it from its own. Labels do not exclude each
  other, so it is the sum over labels of the divergence of two Bernoulli distributions,
  p log(p / q) + (1 − p) log((1 − p) / (1 − q)), p being the network's own probability. Its derivative with respect to
  the logit of q is q − p.
- interpretability: codes are to be few at a place, and to say different things: the mean of the codes, which are not
  negative (sparsity), and the mean of the squared correlations of different codes over images and places
  (decorrelation), added up.

The total is the sum of the three, each times its λ (the paper numbers this equation 3, as it does another).
"""

import torch
from torch import Tensor, nn

_LEAST = 1e-8  # of a variance: a code may be silent


class ConceptAutoencoder(nn.Module):
    """Maps a layer [N, channels, H, W] to codes [N, codes, H, W] of 0 and more, and these back to the layer.

    `offset` and `scale` [channels] are the layer's mean and deviation over the training images, between which it works.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, channels: int, hidden: int, codes: int) -> None:
        super().__init__()
        self.register_buffer("offset", torch.zeros(channels, 1, 1))
        self.register_buffer("scale", torch.ones(channels, 1, 1))
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()
        )
        self.middle = nn.Sequential(nn.Conv2d(hidden, codes, 1), nn.Softplus())
        self.decoder = nn.Sequential(
            nn.Conv2d(codes, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, channels, 3, padding=1)
        )

    def encode(self, layer: Tensor) -> Tensor:
        """Return the codes of a layer."""
        codes: Tensor = self.middle(self.encoder((layer - self.offset) / self.scale))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Return the layer that codes stand for."""
        layer: Tensor = self.decoder(codes) * self.scale + self.offset
        return layer


def shallow_loss(decoded: Tensor, layer: Tensor, scale: Tensor) -> Tensor:
    """Return the mean absolute difference, of each channel in units of its deviation."""
    return ((decoded - layer) / scale).abs().mean()


def deep_loss(logits: Tensor, original: Tensor) -> Tensor:
    """Return the sum over labels of the Bernoulli divergence of `logits` from `original`, its mean over images."""
    p = original.sigmoid()
    log_p, log_not_p = nn.functional.logsigmoid(original), nn.functional.logsigmoid(-original)
    log_q, log_not_q = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
    return (p * (log_p - log_q) + (1 - p) * (log_not_p - log_not_q)).sum(1).mean()


def interpretability_loss(codes: Tensor) -> Tensor:
    """Return sparsity plus decorrelation of codes [N, K, H, W]."""
    flat = codes.transpose(0, 1).flatten(1)
    centred = flat - flat.mean(1, keepdim=True)
    deviations = (centred.square().mean(1) + _LEAST).sqrt()
    correlations = centred @ centred.T / flat.shape[1] / torch.outer(deviations, deviations)
    count = len(flat)
    different = correlations.square().sum() - correlations.diagonal().square().sum()
    return codes.mean() + different / max(1, count * (count - 1))

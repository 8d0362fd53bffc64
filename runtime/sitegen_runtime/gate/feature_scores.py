"""How unlike the training data an image is to the classifier: from its logits, and from its pooled features.

Labels do not exclude each other here, so energies are sums over labels of what each of them says (the joint energy),
where the papers on classes that do take the logarithm of a sum of exponentials.
"""

from collections.abc import Sequence
from math import exp, fsum, log1p

from sitegen_runtime.gate.reconstruction_scores import euclidean_norm


def energy(logits: Sequence[float]) -> float:
    """Return minus the sum over labels of log(1 + exp(logit)): the less is found, the higher.

    Wang, Liu, Bocchieri, Li: "Can multi-label classification networks know what they don't know?" (NeurIPS 2021),
    JointEnergy, with the sign of an energy.
    """
    # log(1 + exp(z)) without an overflow for large z, and without losing digits for negative ones.
    return -fsum(max(logit, 0.0) + log1p(exp(-abs(logit))) for logit in logits)


def max_logit(logits: Sequence[float]) -> float:
    """Return the largest logit (Hendrycks et al. 2022): the more certain of something, the higher."""
    return max(logits)


def mahalanobis(whitened: Sequence[float]) -> float:
    """Return the Mahalanobis distance of features from the training images' mean, given the whitened features.

    Lee, Lee, Lee, Shin: "A simple unified framework for detecting out-of-distribution samples" (NeurIPS 2018), Eq. 2,
    with one mean for all: whitening subtracts it and multiplies by a root of the inverse covariance, so that the
    distance is a Euclidean norm.
    """
    return euclidean_norm(whitened)


def vim(residual: Sequence[float], logits: Sequence[float], alpha: float) -> float:
    """Return alpha times the norm of the residual, plus the energy.

    Wang, Li, Feng, Zhang: "ViM: out-of-distribution with virtual-logit matching" (CVPR 2022), the score before the
    softmax, with the joint energy for their logsumexp. `residual` is the part of the features outside of the space
    that the training images' features fill; `alpha` brings it to the scale of the logits.
    """
    return alpha * euclidean_norm(residual) + energy(logits)

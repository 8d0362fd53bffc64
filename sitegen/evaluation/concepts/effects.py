"""The effects of a concept set to zero (Z₀), and of masking and attacks where it is zero: Tables 1 to 4 of the paper.

For an image x, a label y and node N of the codes at layer L, with the autoencoder in the network:

- Z₀:                P(y | x, code N = 0) − P(y | x)
- masking in Z₀:     P(y | do(mask x), code N = 0) − P(y | x, code N = 0), mean over masks
- an attack in Z₀:   P(y | do(attacked x), code N = 0) − P(y | x, code N = 0)

The attacks are on the classifier without autoencoder, as somebody would make them who does not know of it. Effects on
the logit are the same differences of logits.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from sitegen.evaluation.adversarial.effects import masked
from sitegen.evaluation.concepts.autoencoder import ConceptAutoencoder
from sitegen.evaluation.concepts.layers import Cut, Values
from sitegen.evaluation.concepts.settings import ConceptSettings
from sitegen.prediction import Predictor
from sitegen.prediction.saliency_attack import EVERY_ATTACK
from sitegen_runtime.attacks.methods import Wish
from sitegen_runtime.interventions.fillings import BLACK

ZERO, MASKING = "zero", "masking"
INTERVENTIONS = (ZERO, MASKING, *EVERY_ATTACK)
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class ImageEffects:
    """Of one image: effects [interventions, nodes, labels] on probability and on logit; the codes [nodes, H, W]; how
    far the autoencoder moves the probabilities by itself, the largest over labels; and the most probable label."""

    probability: Logits
    logit: Logits
    codes: Values
    moved: float
    top: int


class Instrumented:
    """A classifier with an autoencoder in it, some of whose codes may be set to zero."""

    def __init__(self, cut: Cut, network: ConceptAutoencoder) -> None:
        self.cut, self.network = cut, network

    @torch.inference_mode()
    def codes(self, image: Values) -> Values:
        """Return the codes [nodes, H, W] of an image as the classifier takes it."""
        found: Values = self.network.encode(torch.from_numpy(self.cut.front(image)))[0].numpy()
        return found

    @torch.inference_mode()
    def logits(self, codes: Values, zero: int | None = None) -> Logits:
        """Return the logits of codes, node `zero` of which is set to zero."""
        given = torch.from_numpy(codes.copy())
        if zero is not None:
            given[zero] = 0
        return self.cut.back(self.network.decode(given[None]).numpy())


def image_effects(
    whole: Instrumented, predictor: Predictor, image: array[float], masks: Sequence[bytes], settings: ConceptSettings
) -> ImageEffects:
    """Return all effects on one image, float32 as the classifier takes it."""
    codes = whole.codes(as_values(image))
    changed = [[masked(predictor, image, mask, BLACK) for mask in masks]]
    for attack in EVERY_ATTACK:
        wish = Wish(attack, settings.strength, settings.steps, None, settings.seed)
        changed.append([predictor.attack(image, wish).image])
    moved_codes = [[whole.codes(as_values(each)) for each in group] for group in changed]
    idle = whole.logits(codes)
    rows: list[list[tuple[Logits, Logits]]] = [[] for _ in INTERVENTIONS]
    for node in range(len(codes)):
        zeroed = whole.logits(codes, node)
        rows[0].append(_difference(zeroed[None], idle))
        for row, group in zip(rows[1:], moved_codes, strict=True):
            row.append(_difference(np.stack([whole.logits(each, node) for each in group]), zeroed))
    found = np.array(rows)  # [interventions, nodes, 2, labels]
    own = whole.cut.back(whole.cut.front(as_values(image)))
    moved = float(np.abs(expit(idle) - expit(own)).max())
    return ImageEffects(found[:, :, 0], found[:, :, 1], codes, moved, int(own.argmax()))


def as_values(image: array[float]) -> Values:
    """Return an image's values as NumPy takes them."""
    return np.frombuffer(image, np.float32)


def _difference(after: Logits, before: Logits) -> tuple[Logits, Logits]:
    """Mean effects on probability and logit of logits [draws, labels] after, and [labels] before."""
    return (expit(after) - expit(before)).mean(axis=0), (after - before).mean(axis=0)

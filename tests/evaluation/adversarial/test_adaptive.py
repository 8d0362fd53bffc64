"""The attack that knows the detector against the same in PyTorch, and what it keeps as it was."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sitegen.bundle import Bundle
from sitegen.evaluation.adversarial.adaptive import ADAPTIVE, Detected, adaptive_attack
from sitegen.evaluation.adversarial.effects import effects
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.methods import Wish
from sitegen_runtime.errors import BadAttack
from sitegen_runtime.interventions.maskings import draw_masks
from tests.helpers.gradient.attacked_network import ENTRY, SIDE, SmoothNetwork
from tests.helpers.runtime.images import picture, saved
from tests.prediction.test_attacks import as_tensor, bounds, network, noise_of, said

WEIGHT, AT_ONCE = 2.0, 2


def effect_by_torch(smooth: SmoothNetwork, image: Tensor, mask: bytes) -> Tensor:
    """The change of the logits where the cells of the mask are black; what fills them has no gradient."""
    black = torch.tensor([(ENTRY.range[0] - mean) / std for mean, std in zip(ENTRY.mean, ENTRY.std, strict=True)])
    cells = torch.tensor(list(mask), dtype=torch.bool).view(SIDE, SIDE)
    return smooth.logits(torch.where(cells, black.view(1, -1, 1, 1).double(), image)) - smooth.logits(image)


def test_it_is_that_of_pytorch() -> None:
    smooth, strength, steps, seed = network(), 0.1, 7, 3
    masks = draw_masks("pixels", (SIDE, SIDE), 0.3, 5, 1)
    image = smooth.image(seed)
    clean = as_tensor(image)
    kept = [effect_by_torch(smooth, clean, mask) for mask in masks]
    far, low, high = bounds(clean, strength)
    wanted, _ = said(clean, None)
    current = (clean + noise_of(seed) * far).clamp(low, high)
    for step in range(steps):
        leaf = current.clone().requires_grad_()
        picked = [(AT_ONCE * step + at) % len(masks) for at in range(AT_ONCE)]
        moved = torch.stack([effect_by_torch(smooth, leaf, masks[at]) - kept[at] for at in picked])
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(smooth.logits(leaf), wanted, reduction="sum")
        (slope,) = torch.autograd.grad(entropy - WEIGHT * (moved**2).mean(), leaf)
        current = (current + 2.5 / steps * far * slope.sign()).clamp(low, high)
    known = Detected(masks, "black", torch.cat(kept).numpy(), WEIGHT, AT_ONCE)
    found = adaptive_attack(smooth, image, Wish(ADAPTIVE, strength, steps, None, seed), known)  # type: ignore[arg-type]
    np.testing.assert_allclose(np.array(found.image), current.numpy().ravel(), rtol=0, atol=1e-6)
    with pytest.raises(BadAttack, match="'adaptive'"):
        adaptive_attack(smooth, image, Wish("pgd"), known)  # type: ignore[arg-type]


def test_it_keeps_the_effects_nearer_to_what_they_were(gradient_bundle: Bundle) -> None:
    predictor = Predictor(gradient_bundle)
    seen = predictor.analyse(saved(picture(90, 60, seed=1), "PNG"), "image", force=True).seen
    assert seen is not None
    image, masks = seen.image.values, draw_masks("pixels", (32, 32), 0.1, 6, 0)
    clean = effects(predictor, image, masks, "black")
    known = Detected(masks, "black", clean, 100.0)
    adaptive = adaptive_attack(predictor, image, Wish(ADAPTIVE, 0.1), known)
    plain = predictor.attack(image, Wish("pgd", 0.1))
    moved = [((effects(predictor, each.image, masks, "black") - clean) ** 2).mean() for each in (adaptive, plain)]
    assert moved[0] < moved[1]

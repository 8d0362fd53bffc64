"""Causal effect maps and "what if" of whole bundles: PyTorch, NumPy and Captum are the references."""

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation, Occlusion
from torch import Tensor

from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.fillings import black
from sitegen_runtime.interventions.tiles import draw_tiles
from sitegen_runtime.maps import masked_runs
from sitegen_runtime.maps.causal_effect import SEED
from tests.helpers.explained_networks import GREY, LABELS, Summed
from tests.runtime.interventions.test_tiles import dense

FEWER = 100  # runs, which take their time here
SIDE = 96  # of the images, in pixels; 64 cells are made of them


def masked_answers(made: Any, seen: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The masks, flat, and the logit of the first label behind each of them, from PyTorch."""
    draws = Draws(SEED)
    masks = np.array([dense(draw_tiles((64, 64), draws)) for _ in range(FEWER)])
    dark = torch.tensor(black(GREY)).view(seen.shape)
    images = torch.where(torch.tensor(masks)[:, None] > 0, seen, dark)
    with torch.inference_mode():
        logits = torch.cat([made.network(part.double()) for part in images.split(50)])[:, 0]
    return masks.reshape(FEWER, -1), logits.numpy()


def test_maps_are_the_covariances_of_masks_and_answers(explainable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked_runs, "RUNS", FEWER)
    made = explainable("densenet-tiny", False)
    wanted = [{"finding": "Mass", "method": method} for method in ("cem", "cem-paper")]
    explained = made.predictor.explain(made.images[0], wanted)
    masks, logits = masked_answers(made, made.seen(made.images[0]))
    contrast = 4 * np.cov(masks.T, logits)[-1, :-1]
    plain = explained.document["findings"][0]["probability"]
    weighted = -((1 / (1 + np.exp(-logits)) - plain)[:, None] * (1 - masks)).mean(0)
    for drawn, expected in zip(explained.maps, (contrast, weighted), strict=True):
        assert np.allclose(drawn.values, expected, atol=1e-5 * np.abs(logits).max())


@pytest.mark.parametrize("filling", ["black", "mean"])
def test_what_if_is_feature_ablation(explainable: Any, filling: str) -> None:
    """Captum's attribution is what the output loses where a group of inputs gets its baseline: minus our effect."""
    made = explainable("resnet-colour" if filling == "mean" else "densenet-tiny", False)
    image = made.images[0]
    groups = [(3, 5, 20, 31), (40, 10, 24, 24), (0, 0, 64, 1)]  # top, left, rows, columns, in cells
    entries = tried(made, image, groups, filling)
    seen = made.seen(image).double()
    baseline = torch.tensor(black(GREY)).view(seen.shape).double() if filling == "black" else seen.mean((2, 3), True)
    for (top, left, rows, columns), entry in zip(groups, entries, strict=True):
        group = torch.ones(seen.shape, dtype=torch.long)
        group[..., top : top + rows, left : left + columns] = 0
        for label in range(len(LABELS)):
            ablation = FeatureAblation(Summed(made.network, [label]))
            lost = ablation.attribute(seen, baseline.expand(seen.shape), target=0, feature_mask=group)
            effect = -float(lost[0, 0, top, left])
            assert entry["findings"][label]["logit_effect"] == pytest.approx(effect, abs=2e-5)


def test_what_if_is_occlusion(explainable: Any) -> None:
    made = explainable("densenet-tiny", False)
    image, side = made.images[1], 16
    places = [(top, left, side, side) for top in range(0, 64, side) for left in range(0, 64, side)]
    seen = made.seen(image).double()
    occlusion = Occlusion(Summed(made.network, [0]))
    lost = occlusion.attribute(seen, (1, side, side), (1, side, side), float(black(GREY)[0]), target=0)
    ours = [-entry["findings"][0]["logit_effect"] for entry in tried(made, image, places, "black")]
    assert np.allclose(ours, lost[0, 0, ::side, ::side].detach().numpy().ravel(), atol=2e-5)


def tried(made: Any, image: Any, places: list[tuple[int, int, int, int]], filling: str) -> Any:
    size = SIDE / 64
    regions = [[left * size, top * size, columns * size, rows * size] for top, left, rows, columns in places]
    wanted = [{"regions": [region], "filling": filling} for region in regions]
    return made.predictor.what_if(image, wanted).document["what_if"]

"""From scores of validation images to the settings in a bundle: they keep the share, by the runtime's own rules."""

from typing import Any

import numpy as np
import pytest

from sitegen.errors import DataError, SettingsError
from sitegen.gate.fitted import Combining, fit_gate
from sitegen_runtime.bundle.gate import read_gate
from sitegen_runtime.gate.combination import combined

SOURCES = ["hospital"] * 200 + ["clinic"] * 100


def scores(images: int, shift: float, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    common = random.normal(size=images) + shift
    return {
        "ssim": 0.8 - 0.05 * (common + random.normal(size=images)),
        "turned": -0.2 + 0.1 * (common / 2 + random.normal(size=images)),
        "vim": 7 + common + random.normal(size=images),
    }


INSIDE = scores(300, 0, 1)
ALTERED = {"cropped": scores(80, 1.5, 2), "noise": scores(40, 4, 3)}


def test_the_ssim_alone_needs_nothing_else() -> None:
    fitted = fit_gate({"ssim": INSIDE["ssim"]}, SOURCES)
    settings = fitted.settings
    assert (settings.metric, settings.share, settings.scores, settings.combination) == ("ssim", 0.95, [], None)
    assert settings.threshold == fitted.thresholds.values["ssim"]
    assert settings.quantiles is not None
    assert set(settings.quantiles.values) == {"ssim"}


def accepted(settings: Any, values: dict[str, np.ndarray]) -> np.ndarray:
    """Decide image by image, from `bundle.json` as the runtime reads it."""
    gate = read_gate(settings.model_dump())
    decisions = []
    for row in zip(*values.values(), strict=True):
        measured = dict(zip(values, row, strict=True))
        measured["combined"] = combined(measured, gate)
        limits = {limit.metric: limit.threshold for limit in gate.scores}
        decisions.append(
            measured["ssim"] >= gate.threshold and all(measured[name] <= limit for name, limit in limits.items())
        )
    return np.array(decisions)


@pytest.mark.parametrize("share", [0.9, 0.95])
def test_all_scores_together_let_the_share_of_each_source_pass(share: float) -> None:
    combining = Combining(("ssim", "vim"), ALTERED)
    fitted = fit_gate(INSIDE, SOURCES, ("turned", "combined"), share=share, combining=combining, vim_alpha=2.5)
    decisions, names = accepted(fitted.settings, INSIDE), np.array(SOURCES)
    for source, passing in fitted.thresholds.passing.items():
        assert decisions[names == source].mean() == passing >= share
    assert min(fitted.thresholds.passing.values()) < share + 0.02
    assert [score.metric for score in fitted.settings.scores] == ["turned", "combined"]
    assert fitted.settings.quantiles is not None
    assert set(fitted.settings.quantiles.values) == {"ssim", "turned", "vim", "combined"}
    assert fitted.settings.vim_alpha == 2.5
    assert accepted(fitted.settings, ALTERED["noise"]).mean() < 0.2


def test_what_does_not_go_together_is_told() -> None:
    with pytest.raises(SettingsError, match="'combined' needs the scores of altered images"):
        fit_gate(INSIDE, SOURCES, ("combined",))
    with pytest.raises(DataError, match=r"refuse by \['latent'\], of which the validation images have no scores"):
        fit_gate(INSIDE, SOURCES, ("latent",))
    with pytest.raises(SettingsError, match="repeat"):
        fit_gate(INSIDE, SOURCES, ("turned", "turned"))
    with pytest.raises(SettingsError, match="or the SSIM is named"):
        fit_gate(INSIDE, SOURCES, ("ssim",))
    with pytest.raises(SettingsError, match=r"the combination needs \['l1'\]"):
        fit_gate(INSIDE, SOURCES, ("combined",), combining=Combining(("l1",), ALTERED))
    with pytest.raises(DataError, match=r"altered as 'grey' have no scores of \['vim'\]"):
        lacking = {"grey": {"ssim": INSIDE["ssim"]}}
        fit_gate(INSIDE, SOURCES, ("combined",), combining=Combining(("ssim", "vim"), lacking))

"""`Predictor.attack`: a result with the changed image, and what is raised where there is none."""

import numpy as np
import pytest

from sitegen import AttackResult, ExplanationError, Predictor
from sitegen.bundle import Bundle
from tests.helpers.bundles import LABELS
from tests.helpers.runtime.images import picture, saved

FILE = saved(picture(90, 60, seed=1), "PNG")


@pytest.fixture(scope="module")
def predictor(gradient_bundle: Bundle) -> Predictor:
    return Predictor(gradient_bundle)


@pytest.mark.parametrize("method", ["fgsm", "bim", "pgd", "jsma"])
def test_an_attack_changes_what_the_classifier_says(predictor: Predictor, method: str) -> None:
    attacked = predictor.attack(FILE, method, 0.1, steps=3, finding="Effusion", force=True)
    assert isinstance(attacked, AttackResult)
    assert attacked.original.shape == attacked.changed.shape == (1, 1, 32, 32)
    assert list(attacked.before) == list(LABELS)
    assert attacked.loss_after > attacked.loss_before > 0
    entry = predictor.bundle.model.graphs["classifier"].images[0]
    far = 0.1 * (entry.range[1] - entry.range[0]) / entry.std[0]
    assert 0 < np.abs(attacked.changed.astype(float) - attacked.original.astype(float)).max() <= far
    assert attacked.image().size == (32, 32)
    before = {finding.label: finding.logit for finding in predictor.predict(FILE, force=True).findings}
    assert attacked.before == pytest.approx(before, abs=1e-5)
    assert str(attacked).startswith(f"image: {method} of 0.1, 3 steps: logits before and after\n  Atelectasis: ")
    assert str(attacked).endswith("Not for diagnostic use.")


def test_the_changed_picture_is_what_the_classifier_sees(predictor: Predictor) -> None:
    attacked = predictor.attack(FILE, "fgsm", 1e-6, force=True)
    entry = predictor.bundle.model.graphs["classifier"].images[0]
    shares = (attacked.original[0, 0] * entry.std[0] + entry.mean[0] - entry.range[0]) / np.ptp(entry.range)
    assert np.abs(np.asarray(attacked.image(), float) - 255 * shares).max() <= 0.51


def test_what_there_is_not(predictor: Predictor, bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="no attack 'cw'"):
        predictor.attack(FILE, "cw", force=True)
    with pytest.raises(ValueError, match="no finding 'Hernia'"):
        predictor.attack(FILE, finding="Hernia", force=True)
    with pytest.raises(ValueError, match="0 < ε ≤ 1"):
        predictor.attack(FILE, strength=2, force=True)
    with pytest.raises(ExplanationError, match="PNG"):
        predictor.attack(b"nothing")
    with pytest.raises(ExplanationError, match="'gradient'"):
        Predictor(bundle).attack(FILE, force=True)

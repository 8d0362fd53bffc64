"""What holds for every metric of the gate's table: a literal case, and words."""

from math import log

import pytest

from sitegen_runtime.gate.metrics import METRICS, STAGE_ONE, Evidence, measure, needed

BLACK, WHITE, GREY = [[0.0] * 121], [[1.0] * 121], [[0.5] * 121]  # planes of 11 x 11 cells
REBUILT = Evidence(image=WHITE, reconstruction=GREY, side=11, variant=0.25)
# SSIM of the constants 1 and 0.5 is their luminance term, (2 * 1 * 0.5 + c) / (1 + 0.25 + c) with c = 0.01².
SSIM = 1.0001 / 1.2501
LITERALS = {
    "ssim": (REBUILT, SSIM),
    "ssim-gaussian": (REBUILT, SSIM),
    "l1": (REBUILT, 0.5),
    "l2": (Evidence(image=[[0.0, 1.0]], reconstruction=[[0.0, 0.0]]), 0.5**0.5),
    "latent": (Evidence({("gate", "latent"): [3.0, -4.0]}), 5.0),
    "turned": (REBUILT, 0.25 - SSIM),
    "mahalanobis": (Evidence({("features", "whitened"): [5.0, 12.0]}), 13.0),
    "energy": (Evidence({("classifier", "logits"): [0.0, 0.0]}), -2 * log(2)),
    "max-logit": (Evidence({("classifier", "logits"): [-1.0, 2.0, 0.0]}), 2.0),
    "vim": (
        Evidence({("features", "residual"): [3.0, 4.0], ("classifier", "logits"): [0.0]}, vim_alpha=0.5),
        2.5 - log(2),
    ),
}


def test_every_metric_with_a_formula_has_a_literal_case_here() -> None:
    assert list(LITERALS) == [name for name, row in METRICS.items() if row.formula]


@pytest.mark.parametrize("metric", LITERALS)
def test_literal_values(metric: str) -> None:
    seen, expected = LITERALS[metric]
    assert measure([metric], seen) == {metric: pytest.approx(expected, abs=1e-12)}


def test_what_has_no_formula_is_not_measured() -> None:
    assert measure(["combined", "l1"], REBUILT) == {"l1": 0.5}


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_its_words(metric: str) -> None:
    row = METRICS[metric]
    assert row.label[:1].isupper()
    assert row.refused[:1].isupper()
    assert not row.refused.endswith(".")  # the value and the limit follow
    assert row.card
    assert row.value


def test_the_gates_network_is_enough_for_stage_one() -> None:
    for metric, row in METRICS.items():
        assert (row.stage == STAGE_ONE) == bool(needed("gate", [metric])), metric
        assert not row.variants or row.stage == STAGE_ONE

"""What comes first of a result: the verdict, the row's words and the order of findings."""

from typing import Any

import pytest

from sitegen_runtime.wording.verdict import ranks, verdict_of


def finding(label: str, probability: float, operating_point: float = 0.5) -> Any:
    return {"label": label, "probability": probability, "operating_point": operating_point}


@pytest.mark.parametrize(
    ("findings", "verdict", "strongest", "row"),
    [
        (
            [finding("Mass", 0.2), finding("Edema", 0.7)],
            "Edema: above the threshold",
            "Edema",
            "Edema, above",
        ),
        (
            [finding("Mass", 0.6), finding("Edema", 0.7), finding("Nodule", 0.5)],
            "Edema and 2 more: above the threshold",
            "Edema",
            "Edema, above, and 2 more",
        ),
        ([finding("Mass", 0.2), finding("Edema", 0.3)], "No finding above its threshold", "Edema", "Edema, below"),
        # What is 0.3 above a low threshold is farther above it than what is 0.6 above a high one.
        (
            [finding("Mass", 0.6, 0.55), finding("Edema", 0.3, 0.1)],
            "Edema and 1 more: above the threshold",
            "Edema",
            "Edema, above, and 1 more",
        ),
        (
            [finding("No finding", 0.9), finding("Edema", 0.3)],
            "No finding above its threshold",
            "Edema",
            "Edema, below",
        ),
        (
            [finding("No finding", 0.1), finding("Edema", 0.3)],
            "No finding above its threshold; “No finding” is below its own, too",
            "Edema",
            "Edema, below",
        ),
        (
            [finding("Normal", 0.9), finding("Edema", 0.6)],
            "Edema: above the threshold; “Normal” is above its own, too",
            "Edema",
            "Edema, above",
        ),
        ([finding("Normal", 0.9)], "Normal: above the threshold", "Normal", "Normal, above"),
    ],
)
def test_verdicts(findings: list[Any], verdict: str, strongest: str, row: str) -> None:
    found = verdict_of(findings)
    assert (found.verdict, found.strongest, found.row) == (verdict, strongest, row)


def test_the_order_of_findings() -> None:
    given = [
        finding("far below", 0.1),
        finding("No finding", 0.99),
        finding("just above", 0.5),
        finding("just below", 0.49),
        finding("far above", 0.9),
    ]
    assert ranks(given) == {"far above": 0, "just above": 1, "No finding": 2, "just below": 3, "far below": 4}

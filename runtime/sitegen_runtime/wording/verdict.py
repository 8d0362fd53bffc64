"""What comes first of a result: a line for the whole image, words for its row in a list, and the order of findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitegen_runtime.bundle.figures import is_absence
from sitegen_runtime.calibration import piecewise_linear
from sitegen_runtime.document_types import Finding


@dataclass(frozen=True)
class Verdict:
    """The line, the finding that stands for the image in a list (None without any), and the row's words."""

    verdict: str
    strongest: str | None
    row: str


def ranks(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Return the place of each finding, from 0: those above first, and of either side the farthest above.

    How far is told on a scale on which every operating point lies in the middle (`piecewise_linear`). What means the
    absence of findings comes last on its side.
    """
    return {finding["label"]: place for place, finding in enumerate(sorted(findings, key=_order))}


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Return the verdict on an image that was analysed."""
    ordered = sorted(findings, key=_order)
    present = [finding for finding in ordered if not is_absence(finding["label"])] or ordered
    absences = [finding for finding in ordered if is_absence(finding["label"]) and finding not in present]
    above = [finding["label"] for finding in present if is_above(finding)]
    strongest = present[0]["label"]
    more = f" and {len(above) - 1} more" if len(above) > 1 else ""
    if not above:
        beside = [f"“{each['label']}” is below its own, too" for each in absences if not is_above(each)]
        return Verdict("; ".join(["No finding above its threshold", *beside]), strongest, f"{strongest}, below")
    beside = [f"“{each['label']}” is above its own, too" for each in absences if is_above(each)]
    line = f"{strongest}{more}: above the threshold"
    return Verdict("; ".join([line, *beside]), strongest, f"{strongest}, above{',' if more else ''}{more}")


def is_above(finding: Finding) -> bool:
    """Return whether a finding is at or above its operating point."""
    return finding["probability"] >= finding["operating_point"]


def _order(finding: Finding) -> tuple[bool, bool, float]:
    stretched = piecewise_linear(finding["probability"], finding["operating_point"])
    return not is_above(finding), is_absence(finding["label"]), -stretched

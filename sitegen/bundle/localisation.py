"""What a bundle says of its maps against boxes that radiologists drew on images of a split.

Shares are of cases, which are the findings of images. Everything is measured by
`sitegen.evaluation.explanations.localisation`; docs/explanation-evaluation.md says how.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from sitegen.bundle.names import one_of
from sitegen.bundle.parts import Part, Share
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.wording.localisation import VERDICTS

Count = Annotated[int, Field(ge=0)]


class ShareInterval(Part):
    """A share with its 95 % interval over patients."""

    value: Share
    low: Share
    high: Share


class DifferenceInterval(Part):
    """A difference of shares with its 95 % interval over patients."""

    value: Annotated[float, Field(ge=-1, le=1)]
    low: Annotated[float, Field(ge=-1, le=1)]
    high: Annotated[float, Field(ge=-1, le=1)]


class PointingFigures(Part):
    """How often maps point into a box, how often the usual place does, the difference, and what that means."""

    cases: Count
    patients: Count
    pointing: ShareInterval
    usual: ShareInterval | None
    difference: DifferenceInterval | None
    verdict: Annotated[str, one_of(VERDICTS)]


class FindingPointing(PointingFigures):
    """The figures of one finding."""

    finding: str


class MethodPointing(PointingFigures):
    """The figures of one method, of all findings together and of each."""

    method: Annotated[str, one_of(METHODS)]
    findings: list[FindingPointing]


class Localisation(Part):
    """On which boxes maps were measured, and what was found of each method."""

    split: str | None
    boxes: Count
    images: Count
    patients: Count
    training_boxes: Count  # that usual places are known from
    methods: list[MethodPointing]


def localisation_problems(localisation: Localisation, labels: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with `localisation` beside these labels."""
    named = {part.finding: None for method in localisation.methods for part in method.findings}
    if unknown := [name for name in named if name not in labels]:
        yield f"localisation has figures of {unknown}, which are no labels"

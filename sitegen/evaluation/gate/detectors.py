"""What a comparison of gates is made of: the images of both kinds, and what each detector says of them.

A detector is one score of one model. Every score here is turned so that higher is more unlike the training images, and
an image out of distribution is a positive: a good detector ranks it above the images of the model's own kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.data.records import Record
from sitegen.metrics.examples import Scores, Targets

INSIDE = "inside"
NEAR, FAR = "near", "far"
GROUPS = (NEAR, FAR)
DECISION = "gate"  # the metric of a bundle's decision, which all of its scores and checks make together


@dataclass(frozen=True)
class OutsideImage:
    """An image out of distribution. `patient` is whose it is: of an altered radiograph, the original's patient."""

    path: Path
    category: str
    near: bool
    patient: str


@dataclass(frozen=True)
class GateImages:
    """The images that all detectors see: N `inside` the training distribution, and M `outside` of it."""

    inside: Sequence[Record]
    outside: Sequence[OutsideImage]

    @property
    def categories(self) -> dict[str, str]:
        """The group, near or far, of each category, near ones first, by name."""
        groups = {image.category: NEAR if image.near else FAR for image in self.outside}
        return dict(sorted(groups.items(), key=lambda entry: (GROUPS.index(entry[1]), entry[0])))

    @property
    def sources(self) -> list[str]:
        """The sources of the images inside, by name."""
        return sorted({record.source for record in self.inside})

    @property
    def patients(self) -> list[str]:
        """The patient of each of the N + M images, those inside first."""
        return [*(record.patient for record in self.inside), *(image.patient for image in self.outside)]

    @property
    def sets(self) -> list[str]:
        """The set of each of the N + M images: INSIDE, or the category with its group before it."""
        outside = [f"{NEAR if image.near else FAR}:{image.category}" for image in self.outside]
        return [*([INSIDE] * len(self.inside)), *outside]

    def of_category(self, category: str) -> NDArray[np.int64]:
        """Return the places of a category's images among those outside."""
        return np.array([at for at, image in enumerate(self.outside) if image.category == category], np.int64)

    def of_source(self, source: str) -> NDArray[np.int64]:
        """Return the places of a source's images among those inside."""
        return np.array([at for at, record in enumerate(self.inside) if record.source == source], np.int64)


@dataclass(frozen=True)
class Detector:
    """One score of one model: float64 [N] of the images inside and [M] of those outside, higher is more unlike.

    `refused_inside` and `refused_outside` tell which images it refuses, bool; None where it has no threshold. The
    `threshold` is on the turned score, and what lies above it is refused; None for a decision of several scores.
    `chosen_on` says where it comes from: "bundle", "validation", or "" without one.
    """

    model: str
    metric: str
    inside: Scores
    outside: Scores
    refused_inside: Targets | None = None
    refused_outside: Targets | None = None
    threshold: float | None = None
    chosen_on: str = ""

    @property
    def name(self) -> str:
        """The model and the metric."""
        return f"{self.model} {self.metric}"

    @property
    def scores(self) -> Scores:
        """The scores of all N + M images, those inside first."""
        return np.concatenate([self.inside, self.outside])

    def with_threshold(self, threshold: float, chosen_on: str) -> "Detector":
        """Return the detector refusing what lies above a threshold of its turned score."""
        return Detector(
            self.model,
            self.metric,
            self.inside,
            self.outside,
            self.inside > threshold,
            self.outside > threshold,
            threshold,
            chosen_on,
        )

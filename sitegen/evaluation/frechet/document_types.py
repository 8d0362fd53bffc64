"""What the document of Fréchet distances holds; docs/anomaly.md describes every key."""

from typing import TypedDict


class ExtrapolatedDocument(TypedDict):
    """Distances by number of images, and what they say of infinitely many."""

    sizes: list[int]
    distances: list[float]
    infinite: float
    bias: float


class HalvesDocument(TypedDict):
    """The distances of random halves of the real images."""

    draws: int
    mean: float
    deviation: float


class AlteredDocument(TypedDict):
    """The distance of the real images from themselves, altered: `kind` is "noise" or "blur"."""

    kind: str
    level: float
    frechet: float


class FrechetDocument(TypedDict):
    """All figures of two sets of images; None where a number does not exist, and a note says why."""

    schema: str
    real: str
    generated: str
    network: str
    resizer: str
    images: list[int]
    features: int
    frechet: float
    extrapolated: ExtrapolatedDocument | None
    halves: HalvesDocument | None
    altered: list[AlteredDocument]
    neighbours: int
    precision: float | None
    recall: float | None
    density: float | None
    coverage: float | None
    inception_score: float | None
    seed: int
    notes: list[str]
    unreadable: list[dict[str, str]]

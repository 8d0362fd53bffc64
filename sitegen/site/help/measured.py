"""The figures that a bundle keeps of itself, as `sitegen export` writes them under `metrics`."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sitegen.bundle.parts import Share

TRAINING = "train"


class Interval(BaseModel):
    """A share from 0 to 1 with the ends of its 95 % interval."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: Share
    low: Share
    high: Share


class _Part(BaseModel):
    images: int
    positives: int
    sensitivity: Interval | None
    specificity: Interval | None


class _Finding(_Part):
    by_source: dict[str, _Part] = Field(default_factory=dict)


class _Accepted(BaseModel):
    all: Interval
    by_source: dict[str, Interval] = Field(default_factory=dict)


class _Split(BaseModel):
    findings: dict[str, _Finding]
    accepted: _Accepted | None = None


@dataclass(frozen=True)
class Images:
    """Which images a figure is from: the split, and the collection, which is "" where images do not say theirs."""

    split: str
    source: str


@dataclass(frozen=True)
class Group:
    """How well one finding was told on some images: how many have it and have not, and the figures, or None."""

    finding: str
    images: Images
    with_it: int
    without: int
    sensitivity: Interval | None
    specificity: Interval | None


@dataclass(frozen=True)
class Measured:
    """All groups but those of training images, which shares the gate accepted, and whether figures were unreadable."""

    groups: tuple[Group, ...] = ()
    accepted: tuple[tuple[Images, Interval], ...] = ()
    unread: bool = False

    def of(self, finding: str) -> tuple[Group, ...]:
        """The groups of one finding of which anything is known."""
        return tuple(
            group for group in self.groups if group.finding == finding and (group.sensitivity or group.specificity)
        )


def read_metrics(metrics: Mapping[str, Any], labels: Container[str]) -> Measured:
    """Return the figures of these labels in a bundle's `metrics`, by collection where told so, else of whole splits."""
    groups: list[Group] = []
    accepted: list[tuple[Images, Interval]] = []
    unread = False
    for name, fields in metrics.items():
        if name == TRAINING:
            continue
        try:
            split = _Split.model_validate(fields)
        except ValidationError:
            unread = True
            continue
        groups += [group for group in _groups(name, split) if group.finding in labels]
        accepted += _accepted(name, split.accepted)
    return Measured(tuple(groups), tuple(accepted), unread)


def _groups(name: str, split: _Split) -> Iterator[Group]:
    for finding, figures in split.findings.items():
        parts: Mapping[str, _Part] = figures.by_source or {"": figures}
        for source, part in parts.items():
            without = part.images - part.positives
            yield Group(finding, Images(name, source), part.positives, without, part.sensitivity, part.specificity)


def _accepted(name: str, shares: _Accepted | None) -> list[tuple[Images, Interval]]:
    if shares is None:
        return []
    return [(Images(name, source), share) for source, share in (shares.by_source or {"": shares.all}).items()]

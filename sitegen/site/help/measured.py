"""The figures that a bundle keeps of itself, as `sitegen export` writes them under `metrics`."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sitegen.bundle.origin import Relation
from sitegen.bundle.parts import Share

TRAINING, HEADLINE = "train", "headline"


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


class _Source(BaseModel):
    relation: Annotated[Relation, Field(alias="from")]
    collection: str = ""


class Flagged(BaseModel):
    """Of so many images without any finding, in how many at least one was flagged."""

    images: int
    flagged: int


class Headline(BaseModel):
    """What was not measured, and the least favourable figure, in words."""

    not_measured: str
    words: str


class _Split(BaseModel):
    findings: dict[str, _Finding]
    accepted: _Accepted | None = None
    sources: dict[str, _Source] = Field(default_factory=dict)
    flagged_without_finding: Flagged | None = None

    def images(self, name: str, source: str) -> "Images":
        """What is recorded of the images of one source of this split, which is called `name`."""
        known = self.sources.get(source)
        if known is None:  # a finding's whole split: of one source, or of several together
            known = next(iter(self.sources.values())) if len(self.sources) == 1 else None
        return Images(name, source, known.relation, known.collection) if known else Images(name, source)


@dataclass(frozen=True)
class Images:
    """Which images a figure is from: the split, and the source, which is "" where images do not say theirs.

    `relation` is where they are from, seen from the training, None where that is not recorded; `collection` what people
    call the source.
    """

    split: str
    source: str
    relation: Relation | None = None
    collection: str = ""


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
    headline: Headline | None = None
    flagged: tuple[tuple[Images, Flagged], ...] = ()  # of whole splits

    def of(self, finding: str) -> tuple[Group, ...]:
        """The groups of one finding of which anything is known."""
        return tuple(
            group for group in self.groups if group.finding == finding and (group.sensitivity or group.specificity)
        )


def read_metrics(metrics: Mapping[str, Any], labels: Container[str]) -> Measured:
    """Return the figures of these labels in a bundle's `metrics`, by collection where told so, else of whole splits."""
    groups: list[Group] = []
    accepted: list[tuple[Images, Interval]] = []
    flagged: list[tuple[Images, Flagged]] = []
    unread = False
    for name, fields in metrics.items():
        if name in (TRAINING, HEADLINE):
            continue
        try:
            split = _Split.model_validate(fields)
        except ValidationError:
            unread = True
            continue
        groups += [group for group in _groups(name, split) if group.finding in labels]
        accepted += _accepted(name, split)
        if split.flagged_without_finding:
            flagged.append((Images(name, ""), split.flagged_without_finding))
    return Measured(tuple(groups), tuple(accepted), unread, _headline(metrics), tuple(flagged))


def _headline(metrics: Mapping[str, Any]) -> Headline | None:
    try:
        return Headline.model_validate(metrics.get(HEADLINE))
    except ValidationError:
        return None


def _groups(name: str, split: _Split) -> Iterator[Group]:
    for finding, figures in split.findings.items():
        parts: Mapping[str, _Part] = figures.by_source or {"": figures}
        for source, part in parts.items():
            without = part.images - part.positives
            yield Group(
                finding, split.images(name, source), part.positives, without, part.sensitivity, part.specificity
            )


def _accepted(name: str, split: _Split) -> list[tuple[Images, Interval]]:
    shares = split.accepted
    if shares is None:
        return []
    return [(split.images(name, source), share) for source, share in (shares.by_source or {"": shares.all}).items()]

"""The figures that a bundle keeps of itself under `metrics`, as `sitegen export` writes them.

What stands there in another form is left alone, and `unread` tells that something was.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sitegen_runtime.bundle.relations import NO_FINDING, RELATIONS, Relation

TRAINING, VALIDATION, HEADLINE = "train", "valid", "headline"


@dataclass(frozen=True)
class Interval:
    """A share from 0 to 1 with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Flagged:
    """Of so many images without any finding, in how many at least one was flagged."""

    images: int
    flagged: int


@dataclass(frozen=True)
class Headline:
    """What was not measured, and the least favourable figure, in words."""

    not_measured: str
    words: str


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

    @property
    def named(self) -> str:
        """What people call the collection; "" where nobody said."""
        return self.collection or self.source


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


def is_absence(finding: str) -> bool:
    """Return whether a finding is the absence of all others, by its name."""
    return finding.lower() in NO_FINDING


def read_figures(metrics: Mapping[str, Any], labels: Container[str]) -> Measured:
    """Return the figures of these labels in a bundle's `metrics`, by collection where told so, else of whole splits."""
    groups: list[Group] = []
    accepted: list[tuple[Images, Interval]] = []
    flagged: list[tuple[Images, Flagged]] = []
    unread = False
    for name, fields in metrics.items():
        if name in (TRAINING, HEADLINE):
            continue
        try:
            found = [group for group in _groups(name, fields) if group.finding in labels]
            passed, without = list(_accepted(name, fields)), _flagged(fields)
        except (AttributeError, KeyError, TypeError, ValueError):
            unread = True
            continue
        groups += found
        accepted += passed
        flagged += [(Images(name, ""), without)] if without else []
    return Measured(tuple(groups), tuple(accepted), unread, _headline(metrics.get(HEADLINE)), tuple(flagged))


def _groups(name: str, fields: Mapping[str, Any]) -> Iterator[Group]:
    for finding, figures in fields["findings"].items():
        parts = figures.get("by_source") or {"": figures}
        for source, part in parts.items():
            images, with_it = _count(part["images"]), _count(part["positives"])
            rates = _interval(part["sensitivity"]), _interval(part["specificity"])
            yield Group(finding, _images(fields, name, source), with_it, images - with_it, *rates)


def _accepted(name: str, fields: Mapping[str, Any]) -> Iterator[tuple[Images, Interval]]:
    shares = fields.get("accepted")
    if shares is None:
        return
    for source, share in (shares.get("by_source") or {"": shares["all"]}).items():
        if rate := _interval(share):
            yield _images(fields, name, source), rate


def _flagged(fields: Mapping[str, Any]) -> Flagged | None:
    found = fields.get("flagged_without_finding")
    return Flagged(_count(found["images"]), _count(found["flagged"])) if found else None


def _images(fields: Mapping[str, Any], name: str, source: str) -> Images:
    """What is recorded of the images of one source of a split, which is called `name`."""
    sources = fields.get("sources") or {}
    known = sources.get(source)
    if known is None and len(sources) == 1:  # a finding's whole split: of one source, or of several together
        known = next(iter(sources.values()))
    if known is None:
        return Images(name, source)
    relation = known["from"]
    if relation not in RELATIONS:
        raise ValueError(f"{relation!r} is no relation")
    return Images(name, source, cast(Relation, relation), _text(known.get("collection", "")))


def _headline(fields: Any) -> Headline | None:
    try:
        return Headline(_text(fields["not_measured"]), _text(fields["words"]))
    except (KeyError, TypeError, ValueError):
        return None


def _interval(fields: Mapping[str, Any] | None) -> Interval | None:
    return None if fields is None else Interval(*(_share(fields[end]) for end in ("value", "low", "high")))


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is no share")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value

"""The figure that is told first: the least favourable one of all that were measured, with where its images come from.

    headline(parts, labels)            of groups of images, each a split and a source
    least_favourable(parts, label)     of one finding by itself
    unmeasured(parts)                  what nobody measured, which is said before either

A group counts however few images it has, as long as its images have both classes of a finding: whoever reads the
headline sees the interval, too. Figures on images that were trained on never count as long as there are others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from sitegen.bundle.origin import not_measured
from sitegen_runtime.bundle.relations import RELATIONS, Relation

WEAK_AUC, WEAK_LOW = 0.70, 0.60
"""A finding is weak where its least favourable AUC lies below the first, or its interval begins below the second."""


NOT_RECORDED = "Where the images of its figures come from, seen from its training, is not recorded."
NOTHING = "No figure of it is recorded: how often it is right is not known."


class Interval(TypedDict):
    """An AUC with the ends of its interval."""

    value: float
    low: float
    high: float


class LeastFinding(TypedDict):
    """The finding that a group tells worst."""

    label: str
    auc: Interval


LeastFavourable = TypedDict(
    "LeastFavourable", {"from": str, "split": str, "source": str, "collection": str, "auc": Interval, "weak": bool}
)
"""Where a finding was told worst, and how well."""

HeadlineDocument = TypedDict(
    "HeadlineDocument",
    {
        "words": str,
        "from": str,
        "split": str,
        "source": str,
        "collection": str,
        "mean_auc": Interval,
        "measured": int,
        "of": int,
        "least": LeastFinding,
    },
)
"""The least favourable group: `mean_auc` is over the findings `measured` there, `of` all that the model has."""


@dataclass(frozen=True)
class Part:
    """What was measured on one group of images: the intervals of the mean AUC and of each finding's, None without."""

    relation: Relation
    split: str
    source: str
    collection: str
    mean_auc: Interval | None
    aucs: Mapping[str, Interval | None]

    @property
    def named(self) -> str:
        """What the collection is called; "" where nobody said."""
        return self.collection or self.source


def headline(parts: Sequence[Part], labels: Sequence[str]) -> HeadlineDocument | None:
    """Return the least favourable group's, by the mean AUC over findings; None where no AUC was measured."""
    measured = [(part.mean_auc, part) for part in _counted(parts) if part.mean_auc]
    if not measured:
        return None
    mean, part = min(measured, key=lambda each: each[0]["value"])
    aucs = {label: auc for label in labels if (auc := part.aucs.get(label))}
    least = min(aucs, key=lambda label: aucs[label]["value"])
    return {
        "words": _words(part, mean, aucs, least, len(labels)),
        "from": part.relation,
        "split": part.split,
        "source": part.source,
        "collection": part.collection,
        "mean_auc": mean,
        "measured": len(aucs),
        "of": len(labels),
        "least": {"label": least, "auc": aucs[least]},
    }


def unmeasured(parts: Iterable[Part]) -> str:
    """Return a sentence on what is farther from the training than all images with an AUC; "" where nothing is."""
    return not_measured(part.relation for part in parts if any(part.aucs.values()))


def least_favourable(parts: Sequence[Part], label: str) -> LeastFavourable | None:
    """Return where a finding was told worst, and whether that is weak; None where it has no AUC anywhere."""
    measured = [(auc, part) for part in _counted(parts) if (auc := part.aucs.get(label))]
    if not measured:
        return None
    auc, part = min(measured, key=lambda each: each[0]["value"])
    return {
        "from": part.relation,
        "split": part.split,
        "source": part.source,
        "collection": part.collection,
        "auc": auc,
        "weak": is_weak(auc),
    }


def is_weak(auc: Interval) -> bool:
    """Return whether an AUC is hardly above chance: its value below WEAK_AUC, or its interval's end below WEAK_LOW."""
    return auc["value"] < WEAK_AUC or auc["low"] < WEAK_LOW


def first_words(metrics: Mapping[str, Any]) -> str:
    """Return what comes before every figure of a bundle: what was not measured, and the least favourable figure.

    `metrics` is free-form; where it has no headline as `sitegen export` writes it, that is what is said.
    """
    first = metrics.get("headline")
    if not isinstance(first, Mapping) or not isinstance(first.get("words"), str):
        return NOT_RECORDED if metrics else NOTHING
    missing, words = first.get("not_measured"), first["words"]
    figure = f"The least favourable figure: {words}" if first.get("mean_auc") else words
    return f"{missing} {figure}" if isinstance(missing, str) and missing else figure


def weak_words(found: LeastFavourable) -> str:
    """Return what stands beside a weak finding: "AUC 0.660 (0.600–0.710) on images from elsewhere (Shenzhen)"."""
    images = on_images(cast(Relation, found["from"]), found["collection"] or found["source"])
    return f"AUC {told(found['auc'])} on {images}"


def told(auc: Interval) -> str:
    """Return an interval in words: "0.660 (0.600–0.710)"."""
    return f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"


def on_images(relation: Relation, collection: str) -> str:
    """Return what images a figure is from: "images from elsewhere (Shenzhen)"."""
    return RELATIONS[relation] + (f" ({collection})" if collection else "")


def _words(part: Part, mean: Interval, aucs: Mapping[str, Interval], least: str, labels: int) -> str:
    images = on_images(part.relation, part.named)
    if labels == 1:
        return f"AUC {told(aucs[least])} on {images}."
    over = f"{len(aucs)} of {labels} findings" if len(aucs) < labels else f"{labels} findings"
    return f"Mean AUC {told(mean)} over {over} on {images}; least for {least}, {told(aucs[least])}."


def _counted(parts: Sequence[Part]) -> list[Part]:
    """The groups that were not trained on, as long as any of those has an AUC."""
    others = [part for part in parts if part.relation != "trained-on"]
    return others if any(part.mean_auc for part in others) else list(parts)

"""How often a model was wrong, and on whom: the worst first, then every collection, then what a flag is worth."""

from collections.abc import Iterator
from dataclasses import dataclass

from sitegen.bundle.headline import NOT_RECORDED
from sitegen.site.help.facts import Facts
from sitegen.site.help.frequencies import count_failed, ends, failed, named
from sitegen.site.help.unmeasured import strangers
from sitegen.site.prose import plain
from sitegen_runtime.bundle.figures import Group, Interval, is_absence
from sitegen_runtime.wording.known import FEW

NOBODY = "Nobody has measured this here: how often it is right is not known."
UNREAD = "The model's description holds figures in a form that this page does not know."
PEOPLE, WITH_IT = 1000, 100  # of the example: one in ten, which is said


@dataclass(frozen=True)
class Row:
    """Cells of the table, as Markdown."""

    finding: str
    images: str
    missed: str
    flagged: str


def headline(facts: Facts) -> str:
    """Return what was not measured of a model and its least favourable figures, or that there are none."""
    first = facts.measured.headline
    begun = [f"**{plain(first.not_measured)}**"] if first and first.not_measured else []
    figure = [f"The least favourable figure: {plain(first.words)}"] if first else []
    missed, flagged = _most_missed(facts), _most_flagged(facts)
    if missed is None and flagged is None:
        return f"{UNREAD} " * facts.measured.unread + " ".join([*begun, NOBODY])
    parts = []
    if missed and missed.sensitivity:
        parts.append(f"missed {_worst(missed, missed.sensitivity, 'with', missed.with_it)}")
    if flagged and flagged.specificity:
        parts.append(f"flagged {_worst(flagged, flagged.specificity, 'without', flagged.without)}")
    worst = f"At its worst it {', and '.join(parts)}."
    return " ".join([*begun, *figure, worst, *([] if first else [strangers(facts), NOT_RECORDED])])


def flagged_anyway(facts: Facts) -> str | None:
    """Return how many images without any finding were flagged, of the split in which most were; or None.

    Of one finding the rows say the same.
    """
    if not facts.measured.flagged or len(facts.description.labels) < 2:
        return None
    images, found = max(facts.measured.flagged, key=lambda each: each[1].flagged / each[1].images)
    return (
        f"Of {found.images:,} {named(images)} without a finding, {found.flagged:,} had at least one finding at or "
        "above its operating point."
    )


def rows(facts: Facts) -> list[Row]:
    """Return a row for every finding and collection of which anything is known."""
    found = []
    for label in facts.description.labels:
        for group in facts.measured.of(label.name):
            missed = _cell(group.sensitivity, group.with_it)
            found.append(Row(plain(label.name), named(group.images), missed, _cell(group.specificity, group.without)))
    return found


def remarks(facts: Facts) -> Iterator[str]:
    """Yield what has to be said of the rows, in sentences."""
    groups = [group for label in facts.description.labels for group in facts.measured.of(label.name)]
    if any(group.images.split == "valid" and facts.made.fitted_on(group.finding) for group in groups):
        yield "Operating points were chosen on the validation images, so their rows flatter."
    if facts.description.gate and facts.measured.accepted:
        yield "Images that the gate refuses are counted, too."
    if any(0 < count < FEW for group in groups for count in (group.with_it, group.without)):
        yield f"Where a row has fewer than {FEW} images, its range is hardly to be trusted."
    if facts.measured.unread:
        yield UNREAD


def worth_of_a_flag(facts: Facts) -> str | None:
    """Return what a flag means where one in ten has the finding, from the row that flags most wrongly; or None."""
    group = _most_flagged(facts)
    if group is None or group.sensitivity is None or group.specificity is None:
        return None
    missed = count_failed(group.sensitivity, WITH_IT)
    wrongly = count_failed(group.specificity, PEOPLE - WITH_IT)
    found = WITH_IT - missed
    return (
        f"Suppose that {WITH_IT} of {PEOPLE:,} people have *{plain(group.finding)}*, and that the model does as in "
        f"the row where it flagged most wrongly ({named(group.images)}). Then it flags {found + wrongly} people: "
        f"{found} who have it, and {wrongly} who do not. And it misses {missed}. The rarer the finding, the more of "
        "the flags are wrong."
    )


def _worst(group: Group, rate: Interval, having: str, images: int) -> str:
    where = f"{ends(rate)}; {images:,} {named(group.images)}"
    return f"{count_failed(rate, 100)} of 100 images {having} *{plain(group.finding)}* ({where})"


def _cell(rate: Interval | None, images: int) -> str:
    return f"{failed(rate)}; {images:,} images" if rate else "not measured"


def _most_missed(facts: Facts) -> Group | None:
    """The group with the lowest sensitivity, of all findings; their absence is none."""
    known = [(group.sensitivity.value, group) for group in _of_findings(facts) if group.sensitivity]
    return min(known, key=_first)[1] if known else None


def _most_flagged(facts: Facts) -> Group | None:
    """The group with the lowest specificity, of all findings; their absence is none."""
    known = [(group.specificity.value, group) for group in _of_findings(facts) if group.specificity]
    return min(known, key=_first)[1] if known else None


def _of_findings(facts: Facts) -> list[Group]:
    return [group for group in facts.measured.groups if not is_absence(group.finding)]


def _first(pair: tuple[float, Group]) -> float:
    return pair[0]

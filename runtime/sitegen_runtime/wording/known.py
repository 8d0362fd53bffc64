"""What is known of a finding, from the bundle's own figures: how often the model was right, on whom, and who set the
threshold. Nothing is said that the bundle does not tell; all numbers are rounded against the model.
"""

from collections.abc import Iterator, Sequence

from sitegen_runtime.bundle.figures import VALIDATION, Group, Images, Interval, is_absence
from sitegen_runtime.bundle.model import Label, Model
from sitegen_runtime.bundle.relations import RELATIONS
from sitegen_runtime.wording.shares import listed, right, wrong

Rates = tuple[Interval, Interval, Images]
"""Sensitivity, specificity, and the images that they are of."""

NOBODY = "Nobody has measured this here."
UNREAD = "The model's description holds figures in a form that is not known here."
NOT_RECORDED = "Where these images come from, seen from its training, is not recorded."
FEW = 30  # images, below which ranges are hardly to be trusted
SPLITS = {"valid": "validation images", "test": "test images"}  # another split is called by its own name


def what_is_known(model: Model, label: Label) -> list[str]:
    """Return sentences on a finding: how weak it is, how often it was right, what was not measured, who set it."""
    groups = groups_that_count(model, label.name)
    said = list(_figures(model, groups)) if groups else [*([UNREAD] if model.measured.unread else []), NOBODY]
    if label.weak:
        weak = f"Weak, told hardly better than chance where it was told worst: {label.weak}. Do not rely on it."
        said.insert(0, weak)
    return [*said, f"The threshold was chosen {threshold_chosen(model, label, measured=bool(groups))}."]


def groups_that_count(model: Model, finding: str) -> Sequence[Group]:
    """Return the groups of a finding that tell of it: those of validation images where there are no others."""
    groups = model.measured.of(finding)
    return [group for group in groups if group.images.split != VALIDATION] or groups


def complete_rates(model: Model, finding: str) -> list[Rates]:
    """Return sensitivity, specificity and images of the groups that tell of a finding and have both."""
    return [
        (group.sensitivity, group.specificity, group.images)
        for group in groups_that_count(model, finding)
        if group.sensitivity and group.specificity
    ]


def named_images(images: Images) -> str:
    """Return what to call some images: "test images of NIH ChestX-ray14"."""
    split = SPLITS.get(images.split, f"{images.split} images")
    return f"{split} of {images.named}" if images.named else split


def threshold_chosen(model: Model, label: Label, *, measured: bool) -> str:
    """Return how the operating point of a finding was chosen, as what follows "was chosen"."""
    made = model.provenance
    fit = made.fitted_on(label.name)
    if fit is None:
        who = "with the model or in its import" if made.imported else "by whoever made the model"
        return who if measured else f"{who}; whether it is a good one nobody has measured here"
    images, positives = fit
    if not 0 < positives < images:
        return f"at {label.operating_point:g}, because {positives} of {images} validation images have it"
    told = f"{images} validation images, {positives} of them with the finding"
    if not is_absence(label.name):
        if made.false_alarms is not None:
            most = f"{100 * made.false_alarms:g} of 100"
            return f"so that with all others together it flags at most {most} images without any finding; on {told}"
        if made.specificity is not None:
            return f"so that of 100 images without it {100 * made.specificity:g} stay below; on {told}"
    return f"where it told {told}, apart best"


def _figures(model: Model, groups: Sequence[Group]) -> Iterator[str]:
    yield from (_figure(group) for group in groups)
    if any(0 < count < FEW for group in groups for count in (group.with_it, group.without)):
        yield f"Of fewer than {FEW} images, a range is hardly to be trusted."
    if all(group.images.split == VALIDATION for group in groups):
        yield "Nobody has measured it on test images."
    yield from _where_from(model, groups)
    first = model.measured.headline
    if first and first.not_measured:
        yield first.not_measured


def _figure(group: Group) -> str:
    images = group.images
    whose = f"{group.with_it + group.without:,} {named_images(images)}"
    on = f"{whose} ({RELATIONS[images.relation]})" if images.relation else whose
    return f"At this threshold, on {on}, it {' and '.join(_rates(group))}."


def _rates(group: Group) -> Iterator[str]:
    with_it, without, caught = f"the {group.with_it:,} with it", f"the {group.without:,} without", "caught"
    if is_absence(group.finding):
        with_it, without = f"the {group.with_it:,} without any finding", f"the {group.without:,} others"
        caught = "was above for"
    if group.sensitivity:
        yield f"{caught} {right(group.sensitivity)} of {with_it}"
    if group.specificity:
        again = "wrongly for" if is_absence(group.finding) else "flagged"
        yield f"{again} {wrong(group.specificity)} of {without}"


def _where_from(model: Model, groups: Sequence[Group]) -> Iterator[str]:
    """Say whose images these are where their relation to the training is not recorded."""
    untold = [group.images for group in groups if group.images.relation is None]
    if not untold:
        return
    yield NOT_RECORDED
    learned = model.provenance.learned_from
    if not learned or any(not images.source for images in untold):
        yield "Whether it learned from the same collections is not told."
        return
    strangers = [images.named for images in untold if images.source not in learned]
    if strangers:
        yield f"It did not learn from {listed(strangers)}."
    else:
        yield "It learned from the same collections: expect more mistakes on images from elsewhere."

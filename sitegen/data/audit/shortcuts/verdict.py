"""The verdict on shortcuts: what tells a label too well, what of it is accepted, and whether a training may begin."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sitegen.data.audit.shortcuts.document_types import (
    FailureDocument,
    IntervalDocument,
    ShortcutsDocument,
    ToldDocument,
)
from sitegen.data.audit.shortcuts.measures import BOOSTED, FAMILIES, TOGETHER
from sitegen.errors import AuditError, SettingsError
from sitegen.settings.audit import AuditSettings

CHANCE = (0.45, 0.55)
"""An interval of shuffled labels that lies outside of this cannot be chance: the audit itself is then at fault."""
_TOLD = 8


def judged(shortcuts: ShortcutsDocument, settings: AuditSettings) -> ShortcutsDocument:
    """Return the shortcut audit with the verdict of these settings in place of whatever it had.

    Raises SettingsError where `accepted` names a label or a family that there is not.
    """
    labels = list(dict.fromkeys(told["label"] for told in shortcuts["told"]))
    check_accepted(settings, labels)
    failures = [failure for told in shortcuts["told"] for failure in _failures(told, settings)]
    failed = {key(failure["label"], failure["family"]) for failure in failures}
    idle = [name for name in settings.accepted if name not in failed]
    return {
        **shortcuts,
        "limits": {"family": settings.limit, "together": settings.together},
        "failures": failures,
        "at_fault": [told["label"] for told in shortcuts["told"] if _no_chance(told["shuffled"])],
        "remarks": [f"{name} is accepted, and does not fail: take it out of accepted." for name in idle],
    }


def key(label: str, family: str) -> str:
    """Return what `accepted` calls a family that tells a label."""
    return f"{label}: {family}"


def unaccepted(shortcuts: ShortcutsDocument) -> list[FailureDocument]:
    """Return the failures that nobody accepted, the clearest first."""
    found = [failure for failure in shortcuts["failures"] if not failure["accepted"]]
    return sorted(found, key=lambda failure: -failure["auc"]["low"])


def passes(shortcuts: ShortcutsDocument) -> bool:
    """Return whether nothing fails that was not accepted, and the control holds."""
    return not unaccepted(shortcuts) and not shortcuts["at_fault"]


def check(shortcuts: ShortcutsDocument, report: Path) -> None:
    """Raise AuditError, naming each label and family with its AUC and what to do, where something fails.

    `report` is the file with all figures.
    """
    if shortcuts["at_fault"]:
        names = ", ".join(dict.fromkeys(shortcuts["at_fault"]))
        raise AuditError(
            f"The shortcut audit is at fault: it tells shuffled labels of {names}, which nothing can, so its other "
            f"figures mean nothing. See {report}. Check that images of one patient have one name of a patient."
        )
    found = unaccepted(shortcuts)
    if found:
        more = f" … and {len(found) - _TOLD} more." if len(found) > _TOLD else ""
        example = key(found[0]["label"], found[0]["family"])
        raise AuditError(
            f"Labels are told by what is no anatomy: {'; '.join(map(in_words, found[:_TOLD]))}.{more} The lower end of "
            f"an interval may not be above {_limits(shortcuts)}: a network would learn this in place of the finding. "
            f"All figures are in {report}. Make the images alike in it, or leave out the part that differs. "
            "Where a person has looked at it and takes responsibility, say so in the recipe: "
            f'[audit] accepted = {{ "{example}" = "the reason" }}'
        )


def in_words(failure: FailureDocument) -> str:
    """Return a failure as words, such as "Mass by sharpness, AUC 0.790 (0.741–0.827) within the source nih"."""
    within = f" within the source {failure['within']}" if failure["within"] else ""
    return f"{failure['label']} by {failure['family']}, AUC {interval_in_words(failure['auc'])}{within}"


def interval_in_words(auc: IntervalDocument) -> str:
    """Return an interval as `0.790 (0.741–0.827)`."""
    return f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"


def _limits(shortcuts: ShortcutsDocument) -> str:
    limits = shortcuts["limits"]
    return f"{limits['family']:g}, of all measures together {limits['together']:g}"


def _failures(told: ToldDocument, settings: AuditSettings) -> Iterator[FailureDocument]:
    for family, auc in told["families"].items():
        limit = settings.together if family in (TOGETHER, BOOSTED) else settings.limit
        if auc is not None and auc["low"] > limit:
            reason = settings.accepted.get(key(told["label"], family), "")
            yield {
                "label": told["label"],
                "family": family,
                "within": told["within"],
                "auc": auc,
                "accepted": reason,
            }


def _no_chance(auc: IntervalDocument | None) -> bool:
    return auc is not None and (auc["low"] > CHANCE[1] or auc["high"] < CHANCE[0])


def check_accepted(settings: AuditSettings, labels: Sequence[str]) -> None:
    """Raise SettingsError where `accepted` names a label or a family that there is not."""
    known = {key(label, family) for label in labels for family in FAMILIES}
    if unknown := [name for name in settings.accepted if name not in known]:
        raise SettingsError(
            f"audit.accepted names {unknown[0]!r}, which is no label with a family of measures. Write "
            f'"Label: family"; the labels are {", ".join(labels)}, the families {", ".join(FAMILIES)}.'
        )

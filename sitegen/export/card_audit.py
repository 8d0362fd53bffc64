"""The part of a card on shortcuts: how well labels are told by what is no anatomy, as the audit of the data found."""

from collections.abc import Mapping, Sequence
from typing import Any

from sitegen.export.card_tables import plain, table

TITLE = "## What is told by things that are not anatomy"


def audit_section(made: Mapping[str, Any]) -> str:
    """Return the section in Markdown, from a bundle's provenance; nothing where it has no audit."""
    audit = made.get("audit")
    if not audit:
        return ""
    limits = audit["limits"]
    shared = ", ".join(map(plain, audit["shared_collections"]))
    together = [f"Training and test images share a collection: {shared}."] if shared else []
    return "\n".join(
        [
            TITLE,
            f"Small models tried to tell each finding on {audit['images']:,} training and validation images by "
            "measures of files, borders and sharpness, and by what records say, with cross-validation by patient. "
            "Figures are AUC with their 95 % intervals by patient; 0.5 is chance. What is told here, a network may "
            f"have learned in place of the finding. A lower end above {limits['family']:g}, or above "
            f"{limits['together']:g} for all measures together, fails. {' '.join(together)}",
            "",
            *_tables(audit["told"]),
            _unmeasured(audit["told"]),
            "",
            _failures(audit["failures"]),
            "",
            _fault(audit["at_fault"]),
            "",
            _sources(audit["sources_told"]),
        ]
    )


def _tables(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table for all images, and one for each source; a blank line after each."""
    lines: list[str] = []
    for within in dict.fromkeys(part["within"] for part in told):
        parts = [part for part in told if part["within"] == within and not part["unmeasured"]]
        if parts:
            lines += [_table(within, parts), ""]
    return lines


def _table(within: str, parts: Sequence[Mapping[str, Any]]) -> str:
    header = [f"told by, within {plain(within)}" if within else "told by", *(plain(part["label"]) for part in parts)]
    rows = [["images (with it)", *(f"{part['images']} ({part['positives']})" for part in parts)]]
    rows += [[plain(family), *(_auc(part["families"][family]) for part in parts)] for family in parts[0]["families"]]
    rows.append(["*the whole image*", *(_auc(part["whole_image"]) for part in parts)])
    rows.append(["*shuffled labels, by all together*", *(_auc(part["shuffled"]) for part in parts)])
    return table(header, rows)


def _unmeasured(told: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"- Not measured: {plain(part['label'])}{_within(part['within'])}: {part['unmeasured']}."
        for part in told
        if part["unmeasured"]
    )


def _failures(failures: Sequence[Mapping[str, Any]]) -> str:
    if not failures:
        return "Nothing failed."
    rows = [
        [
            f"{plain(failure['label'])}: {plain(failure['family'])}{_within(failure['within'])}",
            _auc(failure["auc"]),
            plain(failure["accepted"]) or "**nobody accepted it**",
        ]
        for failure in failures
    ]
    return table(["fails", "AUC", "accepted by the author, because"], rows)


def _fault(labels: Sequence[str]) -> str:
    names = ", ".join(map(plain, dict.fromkeys(labels)))
    told = f"The audit tells shuffled labels of {names}: it is itself at fault, and its figures mean nothing."
    return told if names else ""


def _sources(told: Sequence[Mapping[str, Any]]) -> str:
    if not told:
        return ""
    rows = [
        [
            plain(part["source"] or "not said"),
            f"{'with' if part['present'] else 'without'} {plain(part['label'])}",
            str(part["images"]),
            _auc(part["measures"]),
            _auc(part["thumbnail"]),
        ]
        for part in told
    ]
    return "How well a source is told from its images, among images that are alike in the finding:\n\n" + table(
        ["source", "among images", "number", "by the measures", "by a thumbnail"], rows
    )


def _within(source: str) -> str:
    return f", within {plain(source)}" if source else ""


def _auc(auc: Mapping[str, float] | None) -> str:
    return "–" if auc is None else f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"

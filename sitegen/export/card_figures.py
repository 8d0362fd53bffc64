"""The figures of a card: what was not measured, the least favourable one, and then the tables of each split."""

from collections.abc import Iterator, Mapping
from typing import Any

from sitegen.bundle.headline import first_words as without_marks
from sitegen.bundle.headline import on_images, told, weak_words
from sitegen.bundle.origin import SAME_COLLECTION
from sitegen.export.card_tables import number, plain, split_name, table

Metrics = Mapping[str, Any]
FIGURES = ("auc", "sensitivity", "specificity", "average_precision")


def splits_of(metrics: Metrics) -> dict[str, Mapping[str, Any]]:
    """Return the figures of each split, without the headline."""
    return {name: measured for name, measured in metrics.items() if name != "headline"}


def first_words(metrics: Metrics) -> str:
    """Return what comes before all else: what was not measured, the least favourable figure, the weak findings."""
    first = metrics.get("headline")
    if not first:
        return without_marks(metrics)
    parts = [f"**{plain(first['not_measured'])}**"] if first["not_measured"] else []
    known = first.get("mean_auc") is not None
    parts.append(f"The least favourable figure: {plain(first['words'])}" if known else plain(first["words"]))
    weak = [
        f"*{plain(label)}* ({plain(weak_words(found))})"
        for label, found in first["findings"].items()
        if found and found["weak"]
    ]
    if weak:
        parts.append(f"**Weak**, told hardly better than chance: {', '.join(weak)}.")
    return " ".join(parts)


def same_collection(metrics: Metrics) -> str:
    """Return the warning that goes with test images of the collections that were trained on; "" where it does not."""
    relations = {
        each["from"]
        for split, measured in splits_of(metrics).items()
        if split != "valid"
        for each in measured.get("sources", {}).values()
    }
    near = "other-patients" in relations and not relations & {"same-hospital", "elsewhere"}
    return SAME_COLLECTION if near else ""


def figures_sections(metrics: Metrics) -> str:
    """Return a heading and tables for each split: where the images are from, and every finding, by source too."""
    several = len({label for measured in splits_of(metrics).values() for label in measured["findings"]}) > 1
    parts = [part for split, measured in splits_of(metrics).items() for part in _split(split, measured, several)]
    return "\n\n".join(parts)


def _split(split: str, measured: Mapping[str, Any], several: bool) -> Iterator[str]:
    yield f"### {split_name(split).capitalize()} images"
    if measured.get("sources"):
        yield _sources(measured)
    elif accepted := measured["accepted"]:
        yield _accepted(accepted)
    if flagged := measured.get("flagged_without_finding") if several else None:
        yield (
            f"Of {flagged['images']} images with none of the findings, {flagged['flagged']} had at least one at or "
            f"above its operating point: {told(flagged['share'])}."
        )
    findings = measured["findings"]
    yield _findings(findings)
    sources = list(dict.fromkeys(source for figures in findings.values() for source in figures["by_source"]))
    if len(sources) > 1:
        for source in sources:
            yield f"Of these, {plain(source)}:"
            yield _findings(
                {label: part for label, each in findings.items() if (part := each["by_source"].get(source))}
            )


def _sources(measured: Mapping[str, Any]) -> str:
    accepted = measured["accepted"]
    rows = []
    for source, each in measured["sources"].items():
        name = plain(each["collection"] or source or "not said")
        place = f"{name}, {plain(each['hospital'])}" if each["hospital"] else name
        share = accepted and (accepted["by_source"].get(source) if accepted["by_source"] else accepted["all"])
        counts = f"{each['images']} ({each['patients']})"
        rows.append([place, on_images(each["from"], ""), counts, _figure(each["mean_auc"]), _figure(share)])
    header = ["collection", "seen from the training", "images (patients)", "mean AUC", "accepted by the gate"]
    if not accepted:
        header, rows = header[:-1], [row[:-1] for row in rows]
    return table(header, rows)


def _accepted(shares: Mapping[str, Any]) -> str:
    rows = [["all", _figure(shares["all"])]]
    rows += [[plain(name), _figure(part)] for name, part in shares["by_source"].items()]
    return table(["images", "accepted by the gate"], rows)


def _findings(findings: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each finding."""
    header = ["finding", "images (with it)", "AUC", "sensitivity", "specificity", "average precision"]
    rows = [[plain(label), *_figures(figures)] for label, figures in findings.items()]
    return table([*header, "calibration error", "by chance"], rows)


def _figures(figures: Mapping[str, Any]) -> list[str]:
    counts = f"{figures['images']} ({figures['positives']})"
    error = number(figures["calibration_error"])
    if figures.get("uncalibrated_error") is not None:
        error += f" ({number(figures['uncalibrated_error'])})"
    chance = number(figures["calibration_error_by_chance"])
    return [counts, *(_figure(figures[name]) for name in FIGURES), error, chance]


def _figure(value: Mapping[str, float] | float | None) -> str:
    if isinstance(value, Mapping):
        return f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})"
    return number(value)

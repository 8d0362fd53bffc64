"""Fills in the card's template."""

from pathlib import Path
from typing import Any

from sitegen.bundle import GateSettings, Label

TEMPLATE = Path(__file__).with_name("card.template.md")
SOURCES = {"nih": "NIH", "kermany": "Kermany"}


def render_card(
    recipe: dict[str, Any], label: Label, gate: GateSettings, counts: dict[str, int], metrics: dict[str, Any]
) -> str:
    """Return the card in Markdown; what was not measured yet is said to be missing."""
    classifier, autoencoder = recipe["classifier"], recipe["gate"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        growth=classifier["growth"],
        blocks=" ".join(map(str, classifier["blocks"])),
        latent=autoencoder["latent"],
        classifier_weights=recipe["weights"]["classifier"],
        gate_weights=recipe["weights"]["gate"],
        threshold=f"{gate.threshold:.4f}",
        operating_point=f"{label.operating_point:.4f}",
        nih_images=counts["nih"],
        kermany_images=counts["kermany"],
        epochs=classifier["training"]["fit"]["epochs"],
        gate_epochs=autoencoder["training"]["fit"]["epochs"],
        seed=recipe["seed"],
        figures=_figures(metrics),
        ood=_refused(metrics.get("refused")),
        weak_spots=_weak_spots(metrics.get("refused")),
    )


def _figures(metrics: dict[str, Any]) -> str:
    rows = [
        "| images | number | AUC | sensitivity | specificity | accepted by the gate |",
        "|---|---|---|---|---|---|",
    ]
    for split, name in (("valid", "validation"), ("test", "test")):
        for source, seen in metrics.get(split, {}).items():
            values = [_interval(seen[key]) for key in ("auc", "sensitivity", "specificity", "accepted")]
            rows.append(f"| {SOURCES.get(source, source)}, {name} | {seen['images']} | {' | '.join(values)} |")
    return "\n".join(rows) if len(rows) > 2 else "Not measured yet."


def _interval(seen: dict[str, float]) -> str:
    return f"{seen['value']:.3f} ({seen['low']:.3f}–{seen['high']:.3f})"


def _refused(refused: dict[str, dict[str, int]] | None) -> str:
    if not refused:
        return "Images that are no chest radiographs: not measured yet."
    rows = ["Images that are no upright, whole chest radiographs, and how many of them the gate refuses:", ""]
    rows += ["| kind | images | refused |", "|---|---|---|"]
    for category, count in refused.items():
        rows.append(f"| {category.replace('_', ' ')} | {count['images']} | {count['refused']} |")
    return "\n".join(rows)


def _weak_spots(refused: dict[str, dict[str, int]] | None) -> str:
    missed = [
        f"  - {category.replace('_', ' ')}: {count['images'] - count['refused']} of {count['images']} pass"
        for category, count in (refused or {}).items()
        if count["refused"] < count["images"]
    ]
    if not missed:
        return ""
    return "\n".join(["- The gate lets pass some images that it should refuse:", *missed])

"""The card of an imported bundle: a draft that says what is known of the model, and what is not.

Every number on it is in `bundle.json`, too. The author's own Markdown comes last, because no import knows what a model
may have learned instead of its findings.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sitegen.bundle.fitting import seen_words, size_words
from sitegen.export.card_gate import gate_in_short, gate_section
from sitegen.export.card_tables import plain, table
from sitegen.export.card_text import GATE_FIRST, comes, finished
from sitegen.export.variants.told import form_words, moved_words
from sitegen.export.write_bundle import Draft
from sitegen.importing.report.document import flattened
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.wording.results import percent_means

TEMPLATE = Path(__file__).with_name("card.template.md")
_OWN = "the import's settings name a Markdown file"


def render_card(draft: Draft, image: NetworkInput, author: str = "") -> str:
    """Return the card in Markdown, from the draft's provenance as `sitegen import` writes it.

    `author` is Markdown that ends the card; without it the card says that nobody looked for shortcuts.
    """
    made = draft.provenance
    text = TEMPLATE.read_text(encoding="utf-8").format(
        title=plain(draft.title),
        comes=comes([label.name for label in draft.labels]),
        gate_first=GATE_FIRST if draft.gate else "",
        network=_network(image, gate_in_short(draft)),
        origin=_origin(made["import"]),
        licence_data=plain(draft.licence.data),
        licence_weights=plain(draft.licence.weights),
        gate=gate_section(draft),
        labels=_labels(draft),
        meanings=_meanings(draft),
        proof=_proof(made["proof"]) + _weights(made["weights"]),
        preprocessing=_preprocessing(made["preprocessing"]),
        remarks="\n".join(f"- {plain(remark)}" for remark in made["remarks"]),
    )
    return finished(text, author, _OWN)


def _network(image: NetworkInput, gate: str) -> str:
    low, high = image.range
    rows = [
        ["input", f"{size_words(image)} {image.colour}, {seen_words(image)}"],
        ["values", f"{low:g} to {high:g}"],
    ]
    if set(image.mean) != {0.0} or set(image.std) != {1.0}:
        rows.append(["less", " ".join(f"{value:g}" for value in image.mean)])
        rows.append(["divided by", " ".join(f"{value:g}" for value in image.std)])
    return table(["part", "what"], [*rows, ["gate", gate]])


def _origin(imported: Mapping[str, Any]) -> str:
    """Everything that the source says of itself, hashes of files included, as a list."""
    lines = [f"- {plain(name)}: {plain(value)}" for name, value in flattened(imported)]
    return "\n".join(lines) or "Nothing is known of it."


def _labels(draft: Draft) -> str:
    rows = [
        [plain(label.name), f"{label.operating_point:.4g}", label.calibration.method if label.calibration else "none"]
        for label in draft.labels
    ]
    return table(["finding", "operating point", "calibration"], rows)


def _meanings(draft: Draft) -> str:
    methods = dict.fromkeys(label.calibration.method if label.calibration else None for label in draft.labels)
    return "\n".join(f"- {method or 'no calibration'}: {percent_means(method)}" for method in methods)


def _proof(proof: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{name} {value:.1e}" for name, value in proof["logits"].items())
    if proof["library"]:
        told = (
            f"On {proof['images']} images the graphs in this bundle, run by ONNX Runtime, gave the logits of the "
            f"original, run by {plain(proof['library'])}. The largest differences: {figures}; "
            f"{proof['tolerance']:g} was allowed."
        )
    else:
        told = "There was no original to compare the classifier with."
        if figures:
            told += f" The other graphs give its logits on {proof['images']} images: {figures}."
    return told


def _weights(stored: Mapping[str, Any] | None) -> str:
    if not stored:
        return ""
    return (
        f" {form_words(stored)} On {stored['images']} images that {moved_words(stored)}; page and Python run the same "
        "weights. Whether the model tells findings as well as before was not measured here, for that needs labels."
    )


def _preprocessing(compared: Mapping[str, Any] | None) -> str:
    if not compared or compared["mean"] is None:
        return ""
    return (
        f"The model's own code prepares images in another way ({plain(compared['described'].rstrip('.'))}). On "
        f"{compared['images']} images that changed probabilities by {compared['mean']:.3g} percentage points on "
        f"average, by {compared['largest']:.3g} at most."
    )

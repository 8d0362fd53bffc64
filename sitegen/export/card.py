"""The card of a bundle: what people must know of a model, drafted from what the bundle says of itself.

Every number on it is in `bundle.json`, too. The author's own Markdown comes last, because no figure knows what a model
may have learned instead of its findings.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sitegen.export.card_audit import audit_section
from sitegen.export.card_figures import figures_sections, first_words, same_collection
from sitegen.export.card_gate import gate_in_short, gate_section
from sitegen.export.card_localisation import localisation_section
from sitegen.export.card_tables import (
    data_table,
    listed,
    network_table,
    number,
    plain,
    prevalence_table,
    table,
    table_of_members,
    table_of_phases,
)
from sitegen.export.card_text import GATE_FIRST, comes, finished
from sitegen.export.variants.told import form_words
from sitegen.export.write_bundle import Draft
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.wording.results import percent_means

TEMPLATE = Path(__file__).with_name("card.template.md")
_OWN = "the recipe's `[export]` names a Markdown file"


def render_card(draft: Draft, image: NetworkInput, author: str = "") -> str:
    """Return the card in Markdown, from the draft's provenance and metrics as `sitegen export` writes them.

    `author` is Markdown that ends the card; without it the card says that nobody looked for shortcuts.
    """
    made, fitted = draft.provenance, draft.provenance["fitted"]
    text = TEMPLATE.read_text(encoding="utf-8").format(
        title=plain(draft.title),
        comes=comes([label.name for label in draft.labels]),
        gate_first=GATE_FIRST if draft.gate else "",
        network=network_table(draft, image, gate_in_short(draft)),
        gate=gate_section(draft),
        data=data_table(made["data"]),
        prevalence=prevalence_table(made["data"]),
        licence_data=plain(draft.licence.data),
        licence_weights=plain(draft.licence.weights),
        audit=audit_section(made),
        training=_training(made),
        opened=_opened(draft.metrics),
        first=first_words(draft.metrics),
        same=same_collection(draft.metrics),
        figures=figures_sections(draft.metrics),
        refused="Images that the gate refuses are counted, too." if draft.gate else "",
        localisation=localisation_section(draft),
        fitted=_fitted(fitted),
        balanced="Every source weighed the same in all of this." if fitted["balanced_sources"] else "",
        labels=_labels(draft),
        meanings=_meanings(draft),
        remarks="\n".join(f"- {plain(remark)}" for remark in _remarks(made)),
        proof=_proof(made["proof"]) + _weights(made.get("weights")),
    )
    return finished(text, author, _OWN, audited=bool(made.get("audit")))


def _training(made: Mapping[str, Any]) -> str:
    """The settings of the training, as far as the checkpoint records them."""
    settings = made.get("training")
    if not settings:
        return "The checkpoint does not say how it was trained."
    once = {name: value for name, value in settings.items() if name not in ("phases", "loss", "adam", "augment")}
    lines = [f"- {name}: {listed(settings[name])}" for name in ("loss", "adam", "augment") if name in settings]
    preset = made["recipe"].get("training", {}).get("preset")
    beginning = f"Preset `{preset}`, with what the recipe changes in it." if preset else "A recipe of its own."
    more = [f"- {listed(once)}"] if once else []
    members = made.get("members", [])
    trained = table_of_phases(settings.get("phases", []), made.get("phases", [])) if not members else _members(members)
    return "\n".join([beginning + _began_with(made.get("initial")), "", *lines, *more, "", trained])


def _members(members: Sequence[Mapping[str, Any]]) -> str:
    """What the trainings changed and achieved whose weights were averaged."""
    told = (
        f"Its weights are the means of those of {len(members)} trainings that began with the same weights, each with "
        "what it changes in these settings. What the mean itself achieves is among the figures."
    )
    return f"{told}\n\n{table_of_members(members)}"


def _began_with(initial: Mapping[str, Any] | None) -> str:
    """Whose weights the body began with, where they were not drawn."""
    if not initial:
        return ""
    package = f", of the package {initial['package']}" if "package" in initial else ""
    terms = f"; {initial['licence']}, trained on {initial['data']}" if "licence" in initial else ""
    hashed = f" (SHA-256 {initial['sha256']})."
    return " " + plain(f"Its body began with the published weights {initial['name']}{package}{terms}{hashed}")


def _opened(metrics: Mapping[str, Any]) -> str:
    return f"The test images were {'' if 'test' in metrics else 'not '}opened for this card."


def _fitted(fitted: Mapping[str, Any]) -> str:
    rule = fitted.get("rule", {})
    return (
        "On the validation images, and on no others, each finding got its operating point, "
        f"{_RULES[rule.get('kind', 'youden')].format(share=100 * rule.get('share', 0))}, and its calibration "
        f"({fitted['asked']} was asked for). Errors are calibration errors on the same images."
    )


_RULES = {
    "youden": "the probability at which sensitivity minus false positive rate is largest",
    "specificity": "the lowest probability that {share:g} % of the images without it, of every source, stay below",
    "false-alarms": (
        "all with one specificity, the lowest with which of the images without any finding, of every source, at most "
        "{share:g} % have one at or above its operating point"
    ),
}


def _labels(draft: Draft) -> str:
    fits = draft.provenance["fitted"]["labels"]
    rows = []
    for label in draft.labels:
        fit = fits[label.name]
        method = label.calibration.method if label.calibration else "none"
        errors = [number(fit[f"calibration_error_{when}"]) for when in ("before", "after")]
        known = f"{fit['images']} ({fit['positives']})"
        rows.append([plain(label.name), f"{label.operating_point:.4f}", method, known, *errors])
    header = ["finding", "operating point", "calibration", "fitted on (with it)", "error before", "error after"]
    return table(header, rows)


def _meanings(draft: Draft) -> str:
    methods = dict.fromkeys(label.calibration.method if label.calibration else None for label in draft.labels)
    return "\n".join(f"- {method or 'no calibration'}: {percent_means(method)}" for method in methods)


def _remarks(made: Mapping[str, Any]) -> Iterable[str]:
    for fit in made["fitted"]["labels"].values():
        yield from fit["remarks"]
    yield from made["remarks"]


def _proof(proof: Mapping[str, Any]) -> str:
    parts = [f"the classifier {proof['classifier']:.1e}", f"the gradient graph {proof['gradient']:.1e}"]
    if proof["feature_map"] is not None:
        parts.append(f"feature map and final weights {proof['feature_map']:.1e}")
    return (
        f"On {proof['images']} images the graphs in this bundle, run by ONNX Runtime, gave the logits of the trained "
        f"network in PyTorch. The largest differences: {', '.join(parts)}; {proof['tolerance']:g} was allowed."
    )


def _weights(stored: Mapping[str, Any] | None) -> str:
    """The form of the weights, and what it changes."""
    if not stored:
        return ""
    moved, mean = stored["moved"], stored["mean_difference"]
    told = (
        f" {form_words(stored)} Everything here was measured with them. On {stored['images']} validation images that "
        f"moved probabilities by {100 * moved['value']:.2g} percentage points on average "
        f"({100 * moved['low']:.2g}–{100 * moved['high']:.2g}), by {100 * stored['largest']:.2g} at most. "
    )
    if not mean:
        return f"{told}Whether findings are told as well as before could not be measured on these images."
    worst = max(
        (each["difference"] for each in stored["findings"].values() if each),
        key=lambda each: max(-each["low"], each["high"]),
    )
    return (
        f"{told}It changed the mean AUC by {_signed(mean)}, that of the finding it may have changed most by "
        f"{_signed(worst)}; an interval beyond {stored['margin']:g} either way would have refused them."
    )


def _signed(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:+.4f} ({interval['low']:+.4f} to {interval['high']:+.4f})"

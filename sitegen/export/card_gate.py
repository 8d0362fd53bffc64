"""The part of a card that is about the gate: what it measures, from where on it refuses, how it was trained."""

from collections.abc import Mapping
from typing import Any

from sitegen.bundle import GateSettings
from sitegen.export.card_tables import listed, plain, table
from sitegen.export.write_bundle import Draft
from sitegen_runtime.gate.metrics import ALIKE, METRICS, STAGE_ONE, with_formula


def gate_in_short(draft: Draft) -> str:
    """Return what the table of the network says of the gate."""
    if draft.gate is None:
        return "none: nothing checks whether an image is of the right kind"
    names = [draft.gate.metric, *(score.metric for score in draft.gate.scores)]
    share = "" if draft.gate.share is None else f"; {100 * draft.gate.share:g} % of its validation images pass"
    return f"{_whose(draft.provenance['gate'])}; refuses by {', '.join(names)}{share}"


def gate_section(draft: Draft) -> str:
    """Return the section in Markdown; nothing where there is no gate."""
    if draft.gate is None:
        return ""
    made = draft.provenance["gate"]
    together = "All have to be passed. " if draft.gate.scores else ""
    return "\n".join(
        [
            "## The gate",
            "An image has to be like the training images before anything is said of it. Thresholds come from "
            "validation images alone; images of other kinds had no part in them. "
            f"{together}{_passing(made)}A refusal shows the image, its reconstruction, and where they differ.",
            "",
            _limits(draft.gate),
            "",
            _training(made),
        ]
    )


def _whose(made: Mapping[str, Any]) -> str:
    if "network" not in made:
        return f"from the bundle {plain(made['name'])} {plain(made['version'])}"
    return f"{plain(made['network']['name'])} of {made['parameters']:,} weights, trained with the bundle"


def _limits(gate: GateSettings) -> str:
    rows = [[f"`{gate.metric}`", METRICS[gate.metric].card, f"at least {gate.threshold:.4g}", "before the classifier"]]
    for score in gate.scores:
        limit = f"{'at least' if score.higher == ALIKE else 'at most'} {score.threshold:.4g}"
        parts = gate.combination.weights if gate.combination else ()
        stages = {METRICS[metric].stage for metric in with_formula((score.metric,), parts)}
        when = "before the classifier" if stages == {STAGE_ONE} else "after it, before any finding is shown"
        rows.append([f"`{score.metric}`", METRICS[score.metric].card, limit, when])
    return table(["score", "what it is", "passes", "when"], rows)


def _passing(made: Mapping[str, Any]) -> str:
    shares = made.get("passing")
    if not shares:
        return ""
    told = ", ".join(f"{100 * share:.1f} % of {plain(name) or 'all'}" for name, share in shares.items())
    return f"Of the validation images pass: {told}. "


def _training(made: Mapping[str, Any]) -> str:
    """How the network came about; nothing where another bundle's card says it."""
    training = made.get("training")
    if not training:
        return ""
    images = made.get("images", {})
    once = {name: value for name, value in training.items() if name not in ("network", "objective", "augment")}
    last = made.get("last", {})
    figures = f" It ended at {listed(last)}." if last else ""
    return "\n".join(
        [
            f"Its network was trained on {images.get('train', 0):,} images, and watched on "
            f"{images.get('valid', 0):,}.{figures}",
            "",
            *(
                f"- {name}: {listed(training[name])}"
                for name in ("network", "objective", "augment")
                if name in training
            ),
            f"- {listed(once)}",
        ]
    )
